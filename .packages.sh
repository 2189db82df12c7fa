# The Debian packages that ./run and ./test need. Both source this file.

run_packages=(g++ cmake ninja-build node-llhttp libcli11-dev libexpected-dev libaio-dev libbrotli-dev libcrypt-dev
  libdw-dev libfmt-dev libluajit-5.1-dev libnghttp2-dev libre2-dev libseccomp-dev libssl-dev libtomlplusplus-dev libxxhash-dev libzstd-dev zlib1g-dev)
test_packages=("${run_packages[@]}" catch2 clang clang-format clang-tidy libclang-rt-14-dev libc++-dev libc++abi-dev
  libcurl4-openssl-dev libsqlite3-dev curl goaccess logrotate nghttp2-client openssl wget python3 python3-pyelftools pkgconf)

# owner_of FILE: the owner's name, or the number if there is no name.
owner_of() { stat -c %U "$1" | sed "s/^UNKNOWN\$/user $(stat -c %u "$1")/"; }

say() { printf 'sluice: %s\n' "$*"; }

# Installs the missing ones of these packages. Without root rights, says which ones root has to install.
install_packages() {
  local missing
  # It fails when it does not know a package, but still lists the others.
  missing=$( (dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null || true) | sed -n 's/ install ok installed$//p')
  missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$missing"))
  [ -z "$missing" ] && return 0
  missing=$(tr '\n' ' ' <<<"$missing")
  if [ "$(id -u)" != 0 ]; then
    say "these packages are missing; install them and try again: sudo apt-get update && sudo apt-get install $missing" >&2
    return 1
  fi
  say "installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update && apt-get -qq install --no-install-recommends -y $missing >/dev/null || {
    say "the packages could not be installed; see why with: apt-get update && apt-get install $missing" >&2
    return 1
  }
}

# build PRESET [TARGET...]: configures if that was not done yet, and builds what has changed.
build() {
  local preset=$1 log kept
  shift
  # The build of another user, or the folder itself, may not be writable.
  for kept in . build "build/$preset" "build/$preset/build.ninja" "build/$preset/.ninja_log" plugins.d; do
    [ ! -e "$kept" ] || [ -w "$kept" ] && continue
    say "$(realpath "$kept") belongs to $(owner_of "$kept"), and you are $(id -un): build as that user, or make it yours with: sudo chown -R $(id -un) '$PWD'" >&2
    return 1
  done
  say "building $preset"
  log=$(mktemp)
  if { [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"; } >"$log" 2>&1 &&
    cmake --build --preset "$preset" ${1:+--target "$@"} >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  cat "$log" >&2
  rm -f "$log"
  say "the build of $preset failed; the compiler's messages are above" >&2
  return 1
}
