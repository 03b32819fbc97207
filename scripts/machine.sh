# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for the scripts that source this
# What the scripts know about this machine: where things lie, and how to talk about it. Sourced, not run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export OCTOPUSH_ROOT=$ROOT
export OCTOPUSH_BIN_DIR=${OCTOPUSH_BIN_DIR:-$ROOT/target/release}
STATE_DIR=${OCTOPUSH_STATE_DIR:-$ROOT/.octopush}
# Node packages send usage figures unless told not to.
export DO_NOT_TRACK=1 SUPABASE_TELEMETRY_DISABLED=1
# Rust and cargo-pgrx live in the user's cargo folder, a newer Node than the distribution's in the checkout.
export PATH=$ROOT/.tools/node/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
cd "$ROOT"

CARGO_PGRX_VERSION=0.18.1
# The lowest versions that build this tree.
RUST_VERSION=1.95
NODE_VERSION=20.19

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() {
    printf '\033[31merror:\033[0m %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# at_least 1.95 1.95.2 → true: dotted numbers compared part by part.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# The newest supported PostgreSQL whose server is installed; empty when there is none. The same order as octopush-local.
postgres_major() {
    local major
    for major in 17 15; do
        if [ -x "/usr/lib/postgresql/$major/bin/postgres" ]; then
            echo "$major"
            return
        fi
    done
}

# The packages whose binaries and tests everything is built for, always together: cargo then compiles each dependency
# with one set of features, and so once.
PROGRAMS=(octopush-local supabase-embedded octopush-worker whatsapp-sandbox octopush-load)

package_flags() { printf -- '-p %s ' "${PROGRAMS[@]}"; }
