#!/usr/bin/env bash
# Instructions and allocations per request, bytes in and bytes out without a socket, held to recorded bounds.
#
#   benches/instructions.sh            counts, and fails where a bound is broken
#   benches/instructions.sh profile    where the instructions of a hot request are spent
#
# Needs valgrind. A bound is what was counted plus about 5 %: another compiler or processor may differ so much. Who
# makes something faster lowers its bound; who raises one says in the commit what was bought for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

few=1000
many=3000

# Kind of request, instructions at most, allocations at most.
bounds=(
  "hot 4980 0"
  "browser 12130 0"
  "compressed 14200 0"
  "unmodified 5550 0"
  "missing 6980 2"
  "many 16610 16"
)

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# Runs `$4` requests of kind `$3` under valgrind's tool `$1`; stdin of `sed` with program `$2` is what it reports.
run() {
  local runner="[\"valgrind\", \"--tool=$1\", \"--callgrind-out-file=$work/$3.$4\"]"
  [[ $1 == callgrind ]] || runner="[\"valgrind\", \"--tool=$1\", \"--leak-check=no\"]"
  cargo bench --locked --quiet --config "target.'cfg(all())'.runner = $runner" --bench instructions -- "$3" "$4" \
    >"$work/report" 2>&1 || { cat "$work/report" >&2; return 1; }
  sed -n "$2" "$work/report" | tr -d ,
}

instructions() { run callgrind 's/.*Collected : *\([0-9]*\).*/\1/p' "$@"; }

allocations() { run memcheck 's/.*total heap usage: \([0-9,]*\) allocs.*/\1/p' "$@"; }

# What `$1` counts for one request of kind `$2`.
per_request() { echo $((($("$1" "$2" $many) - $("$1" "$2" $few)) / (many - few))); }

if [[ ${1:-} == profile ]]; then
  export CARGO_PROFILE_BENCH_STRIP=false
  instructions "${2:-hot}" 100000 >/dev/null
  callgrind_annotate "$work/${2:-hot}.100000" --inclusive="${3:-no}" | cut -c 1-160 | head -n 60
  exit
fi

failed=0
printf '%-12s %12s %8s %12s %8s\n' request instructions bound allocations bound
for row in "${bounds[@]}"; do
  read -r kind instructions_max allocations_max <<<"$row"
  instructions=$(per_request instructions "$kind")
  allocations=$(per_request allocations "$kind")
  printf '%-12s %12d %8d %12d %8d\n' "$kind" "$instructions" "$instructions_max" "$allocations" "$allocations_max"
  if ((instructions > instructions_max || allocations > allocations_max)); then failed=1; fi
done
if ((failed)); then
  echo 'a bound is broken; `benches/instructions.sh profile KIND` shows where the instructions go' >&2
  exit 1
fi
