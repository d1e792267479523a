#!/usr/bin/env bash
# `cargo`, as the commands of the guide find it. It takes the versions of dependencies that this repository has, and for a project that
# uses `kokoro-host` it runs what has been compiled in this repository.
set -euo pipefail

folder=$PWD
arguments=("$@")
for ((i = 0; i < $#; i++)); do
    case ${arguments[i]} in
    --manifest-path) folder=$(cd "$(dirname "${arguments[i + 1]}")" && pwd) ;;
    --manifest-path=*) folder=$(cd "$(dirname "${arguments[i]#*=}")" && pwd) ;;
    esac
done

# The outermost project that the folder is in.
project=
while [[ $folder == "$GUIDE_WORK"/* ]]; do
    if [[ -e $folder/Cargo.toml ]]; then project=$folder; fi
    folder=${folder%/*}
done
if [[ -z $project ]]; then exec "$GUIDE_CARGO" "$@"; fi
if [[ ! -e $project/Cargo.lock ]]; then cp "$GUIDE_WORKSPACE/Cargo.lock" "$project"; fi

name=${project##*/}
member=$GUIDE_PROJECTS/$name
command=${1-}
if [[ ! -d $member || ! $command =~ ^(run|test)$ ]]; then exec "$GUIDE_CARGO" "$@"; fi

# Nobody shall read one program and have another one run.
for part in src tests wit; do
    if [[ -e $project/$part || -e $member/$part ]]; then diff -r "$member/$part" "$project/$part" >&2; fi
done
shift
program=$name
test='*'
while (($#)); do
    case $1 in
    --bin) program=$2 && shift ;;
    --test) test=$2 && shift ;;
    --quiet | -q) ;;
    --) shift && break ;;
    *) echo "the guide's cargo does not know \`$1\`" >&2 && exit 2 ;;
    esac
    shift
done
if [[ $command == run ]]; then exec "$GUIDE_PROGRAMS/$name/$program" "$@"; fi
cd "$project"
# These are what a test hears of cargo.
export CARGO_PKG_NAME=$name CARGO_MANIFEST_DIR=$project
for program in "$GUIDE_PROGRAMS/$name/tests/"$test; do "$program" "$@"; done
