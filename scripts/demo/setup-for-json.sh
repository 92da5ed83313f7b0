#!/bin/sh
# `make setup` (or packages) before a demo with JSON=1: when it fails, the demo's JSON line says so, for the demo itself can't run.
# Plain shell: Node may be what is missing. All else goes to standard error.
# $1: make's goal. $2: what `lost` says where nothing ran, 0 or null.
log=$(mktemp) || exit 1
trap 'rm -f "$log" "$log.status"' EXIT
{
  make "$1" 2>&1
  echo $? >"$log.status"
} | tee "$log" >&2
status=$(cat "$log.status" 2>/dev/null || echo 1)
[ "$status" = 0 ] && exit 0
reason=$(grep -v '^make' "$log" | grep . | tail -n 1 | tr -d '[:cntrl:]' | sed 's/[\\"]/\\&/g')
zeros='{"frames":0,"produced":0,"readBack":0,"lost":'$2',"p50Ms":0,"p99Ms":0}'
printf '{"exchanges":{"binance":%s,"bybit-spot":%s,"okx":%s,"kraken":%s},"ok":false,"error":"make %s failed: %s"}\n' \
  "$zeros" "$zeros" "$zeros" "$zeros" "$1" "$reason"
exit "$status"
