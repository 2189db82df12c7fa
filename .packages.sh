# What ./run and ./test need of Debian, in one place; sourced by both.

run_packages=(g++ cmake ninja-build node-llhttp libcli11-dev libexpected-dev libaio-dev libdw-dev)
test_packages=("${run_packages[@]}" catch2 clang clang-format libclang-rt-14-dev libc++-dev libc++abi-dev
  curl wget python3 python3-pyelftools pkgconf)

say() { printf 'sluice: %s\n' "$*"; }

# Installs what is missing of the packages named, or says what somebody else has to install.
install_packages() {
  local missing
  # It fails when it has never heard of one of them; what matters is what it lists.
  missing=$( (dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null || true) | sed -n 's/ install ok installed$//p')
  missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$missing"))
  [ -z "$missing" ] && return 0
  missing=$(tr '\n' ' ' <<<"$missing")
  if [ "$(id -u)" != 0 ]; then
    say "these packages are missing; install them and try again: sudo apt-get install $missing" >&2
    return 1
  fi
  say "installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update && apt-get -qq install --no-install-recommends -y $missing >/dev/null || {
    say "the packages could not be installed; try: apt-get install $missing" >&2
    return 1
  }
}

# build PRESET [TARGET...]: configures where there is nothing yet, and builds what has changed.
build() {
  local preset=$1 log
  shift
  say "building $preset"
  log=$(mktemp)
  if { [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"; } >"$log" 2>&1 &&
    cmake --build --preset "$preset" ${1:+--target "$@"} >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  cat "$log" >&2
  rm -f "$log"
  say "the build of $preset failed; what the compiler said stands above" >&2
  return 1
}
