#!/usr/bin/env bash
# System calls that fail: strace makes one of them fail while clients come and go, and then no longer.
#
# While it fails, an answer may be refused (a connection that closes, 500, 503), but it is never wrong: a 200 has the
# file's bytes, and what exists is never 404. The process does not spin and does not die. Afterwards all is as before.
#
#   tests/faults.sh [PROGRAM]        default: target/release/sockeye
set -uo pipefail
program=${1:-${CARGO_TARGET_DIR:-target}/release/sockeye}
work=$(mktemp -d)
server='' tracer=''
trap 'kill $server $tracer 2>/dev/null; rm -rf "$work"' EXIT

mkdir -p "$work/site/sub"
head -c 3000 /dev/urandom >"$work/site/small.bin"
head -c 3000000 /dev/urandom >"$work/site/large.bin"
ln -s ../small.bin "$work/site/sub/first"
ln -s ../large.bin "$work/site/sub/second"
failures=0

fail() {
  printf 'FAULT %s: %s\n' "$fault" "$1" >&2
  failures=$((failures + 1))
}

# One request; complains if the answer is wrong. Sets `answered` to the status, 000 if there was none.
ask() {
  local name=$1
  rm -f "$work/body"
  answered=$(curl -s -m 1 -o "$work/body" -w '%{http_code}' "$url$name")
  local outcome=$?
  case $answered in
    # A listing that comes whole leaves out nothing that could be asked for; what cannot be read is none of it.
    200) [[ $outcome != 0 || $name != */ || $fault == *EIO* ]] || grep -q '"second"' "$work/body" || fail "$name: a name is missing"
      [[ $outcome != 0 || $name == */ ]] || cmp -s "$work/body" "$work/site/$name" || fail "$name: other bytes" ;;
    000 | 500 | 503) ;;
    *) fail "$name: status $answered" ;;
  esac
  [[ $outcome == 0 ]] || answered=000
}

ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }
descriptors() { ls "/proc/$server/fd" | wc -l; }

start() {
  rm -f "$work/url"
  "$program" "$work/site" --port 0 "$@" --quiet --cache-bytes 0 --write-timeout 2 >"$work/url" 2>"$work/log" &
  server=$!
  until [[ -s $work/url ]]; do read -rt 0.02 <> <(:); done
  url=$(head -1 "$work/url")
  fault=none ask small.bin
  before=$(descriptors)
}

# Makes `call` fail with `error`: from its first time on, or `2+2`: the second, the fourth, the sixth time and so on. Of each
# thread: what else fails is said to strace.
inject() {
  local call=$1 error=$2 when=$3
  fault="$call $error $when ${*:4}"
  strace -f -qq -o /dev/null -e inject="$call:error=$error:when=$when" "${@:4}" -p "$server" 2>"$work/strace" &
  tracer=$!
  until grep -q "TracerPid:.*[1-9]" "/proc/$server/status" || ! kill -0 $tracer 2>/dev/null; do :; done
  kill -0 $tracer 2>/dev/null || { fail "strace: $(cat "$work/strace")"; return; }
  local name spent
  spent=$(ticks)
  for name in small.bin large.bin sub/; do ask $name; done
  spent=$(($(ticks) - spent))
  # Four requests and what strace costs; a thread that spins uses a hundred a second.
  ((spent < 60)) || fail "spins: $spent ticks"
  kill -INT $tracer 2>/dev/null
  wait $tracer 2>/dev/null
  kill -0 "$server" 2>/dev/null || { fail 'died'; cat "$work/log" >&2; start; return; }
  local tries=0
  until ask large.bin && [[ $answered == 200 ]]; do
    ((++tries < 20)) || { fail "does not recover: $answered"; break; }
  done
  tries=0
  until (($(descriptors) <= before)); do
    ((++tries < 300)) || { fail "$(descriptors) descriptors, $before before"; break; }
  done
}

start
while read -r call errors; do
  for error in $errors; do
    inject "$call" "$error" 2+2
    # What means "again" or concerns one client comes a few times; without end it is no fault that a kernel has.
    [[ $error =~ EINTR|EAGAIN|ECONNABORTED ]] || inject "$call" "$error" 1+
  done
done <<'CALLS'
accept4 EMFILE ENOMEM ECONNABORTED EPERM EIO
read ENOMEM EIO
sendto EINTR EAGAIN ENOBUFS EIO
sendmsg EINTR EIO
sendfile EINTR EAGAIN EIO EINVAL ENOMEM
openat2 EMFILE ENOMEM EINTR EAGAIN EIO
openat EMFILE EIO
fstat ENOMEM EIO
newfstatat ENOMEM EINTR EIO
pread64 EINTR EIO
epoll_ctl ENOMEM ENOSPC
epoll_wait ENOMEM EINTR
CALLS
stop() {
  kill -TERM "$server"
  wait "$server" || { fault=stop; fail "exit code $?"; }
}
stop
# With one list, whose listeners cannot be armed again after a pause: each is added to it and then armed.
start --threads 1
inject epoll_ctl ENOMEM 2+2 -e inject=accept4:error=EMFILE:when=1
stop
printf '%d wrong of what was tried\n' $failures
((failures == 0))
