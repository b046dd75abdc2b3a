#!/bin/sh
# Make or renew the virtual environment .venv: "install.sh run" for the tool alone, "install.sh dev"
# with what checks and tests need. What is there already is not installed again.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 15))' \
            >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    stop "Es fehlt Python 3.11 bis 3.14. Abhilfe unter Debian: apt install python3 python3-venv"
}

need_python() {
    python="$(find_python)"
    # Debian keeps ensurepip in a package of its own; without it "venv" leaves half an environment.
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        package="$(basename "$python")-venv"
        stop "Es fehlt das Debian-Paket $package. Abhilfe: apt install $package"
    fi
}

make_venv() {
    "$python" -m venv --clear .venv || stop "Die Python-Umgebung .venv ließ sich nicht anlegen."
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
        --no-deps "$@" || stop "Die Installation ist gescheitert; die Zeilen darüber sagen, woran."
}

# The folder counts as well: scripts in .venv/bin name it, so a moved checkout needs new ones.
fingerprint() { echo "$PWD $(cat "$@" | cksum)"; }

is_ready() { [ -f ".venv/ready-$1" ] && [ "$(cat ".venv/ready-$1")" = "$2" ]; }

install_run() {
    lists="config/requirements/build.txt config/requirements/run.txt"
    # shellcheck disable=SC2086  # the names hold no spaces
    now="$(fingerprint $lists pyproject.toml)"
    is_ready run "$now" && return
    # An environment of this very folder is brought up to date, any other is made anew.
    case "$(cat .venv/ready-run 2>/dev/null)" in "$PWD "*) new=no ;; *) new=yes ;; esac
    if [ "$new" = yes ]; then need_python; fi
    say "Installiere, was GUSTAV braucht (nur beim ersten Mal, etwa eine halbe Minute) ..."
    if [ "$new" = yes ]; then make_venv; fi
    for list in $lists; do pip_install --require-hashes -r "$list"; done
    pip_install --no-build-isolation --no-index --editable .
    echo "$now" >.venv/ready-run
}

install_dev() {
    now="$(fingerprint config/requirements/dev.txt)"
    is_ready dev "$now" && return
    say "Installiere, was Prüfungen und Tests brauchen ..."
    pip_install --require-hashes -r config/requirements/dev.txt
    echo "$now" >.venv/ready-dev
}

compile_translations() {
    for source in lti_tool/translations/*/LC_MESSAGES/*.po; do
        [ -f "$source" ] || continue
        compiled="${source%.po}.mo"
        [ -n "$(find "$compiled" -newer "$source" 2>/dev/null)" ] && continue
        .venv/bin/pybabel --quiet compile --input-file "$source" --output-file "$compiled" \
            || stop "Aus $source ließ sich keine Übersetzung machen."
    done
}

.venv/bin/python -c '' 2>/dev/null || rm -rf .venv
install_run
[ "${1:-run}" = run ] || install_dev
compile_translations
