#!/usr/bin/env bash
# Runs everything that CI runs: format, laws, lints, documentation, fuzz smoke, all tests.
#
#   ./test.sh
#
# Needs Rust (https://rustup.rs). What else is lacking is installed first: Debian packages with apt-get (as root or through
# sudo), cargo-nextest under the build directory. Stops at the first failure; the tests' summary comes last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly fuzz_seconds=5
tools=$PWD/target/tools
PATH=$PATH:$tools/bin

step() {
    printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() { # Debian package
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_debian_packages() {
    local package missing=() optional=()
    for package in gcc g++ libc6-dev libc6-dbg gdb gdbserver git iproute2 lldb nftables openssh-client openssh-server openssl socat; do
        installed "$package" || missing+=("$package")
    done
    # For the tests of 32-bit programs, which are skipped without it.
    if [ "$(dpkg --print-architecture)" = amd64 ] && ! installed gcc-multilib; then optional+=(gcc-multilib); fi
    [ $((${#missing[@]} + ${#optional[@]})) -gt 0 ] || return 0

    export DEBIAN_FRONTEND=noninteractive
    # A list that is out of date may still do; where it does not, the installation says what is missing.
    as_root apt-get update -qq || echo "the list of packages could not be updated"
    if [ ${#missing[@]} -gt 0 ]; then
        as_root apt-get install -qq --no-install-recommends "${missing[@]}"
    fi
    if [ ${#optional[@]} -gt 0 ]; then
        as_root apt-get install -qq --no-install-recommends "${optional[@]}" ||
            echo "not installable here: ${optional[*]}"
    fi
}

require_commands() {
    local command missing=()
    for command in cargo gcc g++ gdb gdbserver git lldb openssl socat; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "test.sh: not found: ${missing[*]}" >&2
        exit 1
    fi
}

install_rust_tools() {
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        rustup component add rustfmt clippy
    fi
    # Unoptimised: it takes a third of the time to build, and only starts the tests.
    command -v cargo-nextest >/dev/null || cargo install --quiet --locked --debug --root "$tools" cargo-nextest
}

step tools
if command -v apt-get >/dev/null; then install_debian_packages; fi
require_commands
install_rust_tools

step format
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check

step laws
.ci/laws
if command -v cargo-deny >/dev/null; then
    cargo deny check bans licenses sources
    cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check bans licenses sources
fi

step lints
cargo clippy --locked --workspace --all-targets -- -D warnings

step documentation
RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --no-deps --document-private-items

step build
cargo build --locked --workspace --all-targets

step 'fuzz smoke'
fuzz/run "$fuzz_seconds"

step 'documentation tests'
cargo test --locked --workspace --doc

step 'tests through premote'
DBGSRV_TEST_SERVER=premote cargo nextest run --locked --workspace --profile premote

step tests
cargo nextest run --locked --workspace
