#!/usr/bin/env python3
"""The steps of tests/cluster/run: steps.py SOURCE FOLDER [CASE...], in namespaces of its own for processes,
mounts and network.

Clients are in the outer network, which is a bridge between all. Paths of the hosts' files are replaced by those of a
folder for each; addresses are those of the documentation."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from clients import Client, Load, NAME, SERVICE  # noqa: E402

SOURCE, FOLDER = (pathlib.Path(path) for path in sys.argv[1:3])
CASES = sys.argv[3:]
RECIPE = SOURCE / "cli/service/cluster"
HOSTS = {"host1": "192.0.2.21", "host2": "192.0.2.22", "host3": "192.0.2.23"}
BALANCERS = {"lb1": "192.0.2.11", "lb2": "192.0.2.12"}
CLIENTS = "192.0.2.100"
CERTIFICATE = str(FOLDER / "site.pem")
WAIT_S = 60

# What the files lack, and so which cases have to fail: SLUICE_MUTATE=NAME.
MUTATION = os.environ.get("SLUICE_MUTATE", "")
MUTATIONS = {
    "proxy": [("haproxy.cfg", "send-proxy-v2 ", ""), ("haproxy.cfg", "check-send-proxy ", ""),
              ("sluice.toml", "proxy-protocol", "# ")],
    "releases": [("sluice.toml", "releases = true", "releases = false"),
                 ("sluice.toml", "/srv/www", "/srv/www/current")],
    "tickets": [("sluice.toml", "ticket-keys", "# ")],
    "times": [],  # a release is copied without them
    "lame-duck": [("sluice.toml", 'lame-duck = "5s"', 'lame-duck = "0s"')],
    "redispatch": [("haproxy.cfg", "option redispatch 1", "no option redispatch"),
                   ("haproxy.cfg", "retries 3", "retries 0")],
    "shutdown": [("haproxy.cfg", "on-marked-down shutdown-sessions", "")],
    "vrrp": [("keepalived.conf", "advert_int 0.5", "advert_int 30")],
}

passed, failed = 0, 0


def check(what, is_so, more=""):
    global passed, failed
    if is_so:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what} {more}", flush=True)


def eventually(is_so, limit_s=WAIT_S):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.1)
    return False


def sh(command):
    subprocess.run(command, shell=True, check=True)


def recipe(name):
    text = (RECIPE / name).read_text()
    for file, what, by in MUTATIONS.get(MUTATION, []):
        if file == name:
            assert what in text, what
            text = text.replace(what, by)
    return text


def start(namespace, command, log, variables=None):
    with open(FOLDER / log, "ab") as out:
        return subprocess.Popen(["ip", "netns", "exec", namespace, *command], stdin=subprocess.DEVNULL, stdout=out,
                                stderr=out, env={**os.environ, **(variables or {})})


def kill_all(namespace):
    """As if its power were cut: nothing is said to anybody."""
    for pid in subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def cable(namespace, state):
    sh(f"ip link set {namespace} {state}")


class Host:
    def __init__(self, name):
        self.name = name
        self.folder = FOLDER / name
        self.www = self.folder / "www"
        self.log = self.folder / "log/access.log"
        for folder in ("etc", "www/releases", "log"):
            (self.folder / folder).mkdir(parents=True)
        for file in ("site.pem", "site.key", "ticket.keys"):
            shutil.copy(FOLDER / file, self.folder / "etc")
        text = recipe("sluice.toml")
        for place, here in (("/etc/sluice", "etc"), ("/srv/www", "www"), ("/var/log/sluice", "log")):
            text = text.replace(place, str(self.folder / here))
        (self.folder / "etc/sluice.toml").write_text(text)
        self.process = None

    def start(self):
        program = [str(SOURCE / "build/release/bin/sluice"), "serve", "--config", str(self.folder / "etc/sluice.toml"),
                   "--plugins", str(SOURCE / "plugins.d"), "--without", "lua", "--pid-file", str(self.folder / "pid")]
        self.process = start(self.name, program, f"{self.name}.log", {"RUNTIME_DIRECTORY": str(self.folder)})

    def ends(self):
        """Waits; whether it has ended in order."""
        begun = time.monotonic()
        try:
            code = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            return False
        print(f"{self.name} has ended after {time.monotonic() - begun:.1f} s", flush=True)
        return code == 0

    def pid(self):
        return int((self.folder / "pid").read_text())

    def copy_release(self, number):
        # As rsync -a does, with the times of the files.
        copied = self.www / f"releases/{number}"
        shutil.copytree(FOLDER / f"site/{number}", copied, copy_function=shutil.copy2)
        for file in copied.iterdir() if MUTATION == "times" else ():
            os.utime(file, (time.time(), 1_700_000_000 + int(self.name[-1])))

    def switch_to(self, number):
        (self.www / "next").symlink_to(f"releases/{number}")
        (self.www / "next").rename(self.www / "current")

    def lines_of_clients(self):
        """Of the access log, without the questions of balancers."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if "cluster" in line["request"]["headers"].get("User-Agent", [])]


class Balancer:
    def __init__(self, name):
        self.name = name
        (FOLDER / f"{name}.cfg").write_text(recipe("haproxy.cfg"))
        (FOLDER / f"{name}.conf").write_text(recipe("keepalived.conf"))

    def start(self):
        # Each has a /run of its own.
        haproxy = f"mount -t tmpfs tmpfs /run; mkdir /run/haproxy; exec haproxy -W -db -f {FOLDER}/{self.name}.cfg"
        self.haproxy = start(self.name, ["unshare", "--mount", "bash", "-c", haproxy], f"{self.name}.log")
        files = [f"--{kind}={FOLDER}/{self.name}.{kind}" for kind in ("pid", "vrrp_pid", "checkers_pid")]
        self.keepalived = start(self.name, ["keepalived", "--dont-fork", "--log-console", "--vrrp", *files,
                                            f"--use-file={FOLDER}/{self.name}.conf"], f"{self.name}.log")

    def states(self):
        """Of the hosts, by name: "UP", "DOWN", "DRAIN"..."""
        path = f"/proc/{self.haproxy.pid}/root/run/haproxy/admin.sock"
        shown = ""
        with socket.socket(socket.AF_UNIX) as control:
            try:
                control.connect(path)
                control.sendall(b"show stat\n")
                while text := control.recv(65536):
                    shown += text.decode()
            except OSError:
                return {}
        rows = [row.split(",") for row in shown.splitlines() if row.startswith("https,host")]
        return {row[1]: row[17] for row in rows}

    def has_address(self):
        show = ["ip", "-n", self.name, "-4", "address", "show", "dev", "eth0"]
        return SERVICE + "/" in subprocess.run(show, capture_output=True, text=True).stdout


def make_network():
    sh("ip link set lo up; ip link add br0 type bridge; ip link set br0 up; ip address add " + CLIENTS + "/24 dev br0")
    for name, address in {**HOSTS, **BALANCERS}.items():
        sh(f"ip netns add {name}; ip link add {name} type veth peer name eth0 netns {name}; "
           f"ip link set {name} master br0 up; ip -n {name} link set lo up; ip -n {name} link set eth0 up; "
           f"ip -n {name} address add {address}/24 dev eth0")


def make_site():
    """Two releases, whose pages have a part of their own each, and one in common."""
    sh(f"cd {FOLDER} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 "
       f"-subj /CN={NAME} -addext subjectAltName=DNS:{NAME} -keyout site.key -out site.pem 2>openssl.log && "
       "openssl rand 80 >ticket.keys")
    for number in (1, 2):
        folder = FOLDER / f"site/{number}"
        folder.mkdir(parents=True)
        parts = []
        contents = {"js": f"// script of release {number}\n" * 2000, "css": "/* a style of both */\n" * 500}
        for kind, content in contents.items():
            name = f"part.{hashlib.sha256(content.encode()).hexdigest()[:16]}.{kind}"
            (folder / name).write_text(content)
            parts.append(f'"/{name}"')
        (folder / "index.html").write_text(f"<p>release {number}</p> {' '.join(parts)}\n")
        (folder / "large.bin").write_bytes(b"x" * 8_000_000)
        for file in folder.iterdir():
            os.utime(file, (1_700_000_000, 1_700_000_000))


def judge(what, load, retries_max=None):
    tally = load.tally
    figures = f"{tally.pages} pages, {tally.requests} requests, {tally.retries} retries, {len(tally.errors)} errors"
    print(f"{what}: {figures}", flush=True)
    check(f"{what}: no client sees an error", not tally.errors, "; ".join(tally.errors[:5]))
    check(f"{what}: pages are loaded", tally.pages >= 20, figures)
    if retries_max is not None:
        check(f"{what}: at most {retries_max} retries", tally.retries <= retries_max, figures)


def all_up(balancers):
    return eventually(lambda: all(set(b.states().values()) == {"UP"} and len(b.states()) == 3 for b in balancers))


def direct(address, path):
    client = Client(CERTIFICATE, address)
    answer, body = client.try_once(path)
    client.close()
    return answer, body


def steady(hosts, balancers):
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(60)
    judge("steady", load, 0)
    lines = [host.lines_of_clients() for host in hosts]
    check("each host answers clients", all(lines))
    seen = {line["request"]["client_ip"] for of_host in lines for line in of_host}
    check("client addresses arrive", seen == {CLIENTS}, str(seen))


def validators():
    for path in ("/", "/large.bin"):
        heads = [direct(address, path)[0].headers for address in HOSTS.values()]
        seen = {(head["ETag"], head["Last-Modified"]) for head in heads}
        check(f"validators of {path} agree", len(seen) == 1 and all(seen.pop()), str(seen))


def tickets():
    client = Client(CERTIFICATE)
    for address in HOSTS.values():
        first = client.session is None
        client.address = address
        client.try_once("/")
        check(f"{address} resumes a session of another host", first or client.resumed)
        client.close()


def drained(hosts, balancers):
    host = hosts[0]
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        host.process.terminate()
        drains = lambda balancer: balancer.states().get(host.name, "").startswith(("DRAIN", "NOLB"))  # noqa: E731
        check("the balancers see that the host drains", eventually(lambda: all(map(drains, balancers)), 10))
        check("the drained host ends in order", host.ends())
        load.wait_for_pages(20)
        host.start()
        check("the host comes back", all_up(balancers), str(balancers[0].states()))
        load.wait_for_pages(20)
    judge("drained", load)


def upgraded(hosts, balancers):
    host = hosts[1]
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        before = host.pid()
        os.kill(before, signal.SIGUSR2)
        check("another program takes over", eventually(lambda: host.pid() != before))
        check("the former one ends", host.ends())
        load.wait_for_pages(40)
        check("the host stays up", all_up(balancers))
    judge("upgraded", load)


def killed(hosts, balancers):
    host = hosts[2]
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        kill_all(host.name)
        check("the balancers see it", eventually(lambda: all(b.states().get(host.name) == "DOWN" for b in balancers)))
        load.wait_for_pages(20)
        host.process.wait()
        host.start()
        check("the host comes back", all_up(balancers))
        load.wait_for_pages(20)
    judge("killed", load)


def partitioned(hosts, balancers):
    host = hosts[0]
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        cable(host.name, "down")
        check("the balancers see it", eventually(lambda: all(b.states().get(host.name) == "DOWN" for b in balancers)))
        load.wait_for_pages(40)
        cable(host.name, "up")
        check("the host comes back", all_up(balancers))
        load.wait_for_pages(20)
    judge("partitioned", load)


def deployed(hosts, balancers):
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        for host in hosts:
            host.copy_release(2)
        for host in hosts:
            host.switch_to(2)
            load.wait_for_pages(60)
    judge("deployed", load, 0)
    check("both releases were seen", load.tally.releases == {"1", "2"}, str(load.tally.releases))
    check("all hosts have the next release", all(b"release 2" in direct(to, "/")[1] for to in HOSTS.values()))


def balancer_killed(hosts, balancers):
    first = next(b for b in balancers if b.has_address())
    other = next(b for b in balancers if b is not first)
    with Load(CERTIFICATE) as load:
        load.wait_for_pages(20)
        cable(first.name, "down")
        kill_all(first.name)
        check("the other balancer takes the address", eventually(other.has_address, 10))
        load.wait_for_pages(40)
        cable(first.name, "up")
        # As a start of the machine would.
        sh(f"ip -n {first.name} address del {SERVICE}/24 dev eth0 2>/dev/null || true")
        first.start()
        check("the balancer comes back", all_up(balancers))
        load.wait_for_pages(40)
        check("the address stays where it is", other.has_address() and not first.has_address())
    judge("balancer killed", load)


def main():
    make_network()
    make_site()
    hosts = [Host(name) for name in HOSTS]
    balancers = [Balancer(name) for name in BALANCERS]
    for host in hosts:
        host.copy_release(1)
        host.switch_to(1)
        host.start()
    for balancer in balancers:
        balancer.start()
    check("the balancers see all hosts", all_up(balancers), str([b.states() for b in balancers]))
    check("one balancer has the address", eventually(lambda: sum(b.has_address() for b in balancers) == 1))
    if failed:
        print(f"{passed} passed, {failed} failed")
        return
    validators()
    tickets()
    all_cases = (steady, drained, upgraded, killed, partitioned, deployed, balancer_killed)
    for case in [globals()[name] for name in CASES] or all_cases:
        case(hosts, balancers)
    for host in hosts:
        log = (FOLDER / f"{host.name}.log").read_text()
        check(f"{host.name} has logged no error", " error: " not in log and "please report" not in log)
    print(f"{passed} passed, {failed} failed")


main()
