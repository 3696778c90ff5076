#!/bin/sh
# Inside the room that room.sh has made: starts Docker, makes the images, and does what the compose file says at its top.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp WARMPATH_WASM=/envoy/warmpath.wasm
dockerd --iptables=true >/out/dockerd.log 2>&1 &
dockerd=$!
trap 'kill $dockerd; wait $dockerd || true' EXIT
for _ in $(seq 300); do docker info >/dev/null 2>&1 && break; sleep 0.1; done

# One base with a shell and a C library, as the public images have.
mkdir -p /tmp/empty/tmp /tmp/empty/prometheus
tar -C / -c bin lib lib64 sbin etc usr/bin usr/lib usr/lib64 usr/sbin \
    --exclude='usr/bin/docker*' --exclude='usr/bin/containerd*' --exclude='usr/sbin/dockerd' --exclude='usr/bin/prom*' \
    --exclude='usr/lib/go*' -C /tmp/empty tmp prometheus | docker import - base >/dev/null
image() { printf 'FROM base\n%s\n' "$2" >/tmp/Dockerfile; docker build -q -t "$1" -f /tmp/Dockerfile "$3" >/dev/null; }
image "$(sed -n 's/ *image: \(envoyproxy.*\)/\1/p' /repository/envoy/compose/compose.yaml)" 'COPY envoy /usr/local/bin/' /envoy
image warmpath/providers 'COPY simulator /usr/local/bin/
ENTRYPOINT ["simulator"]' /envoy
image "$(sed -n 's/ *image: \(prom.*\)/\1/p' /repository/envoy/compose/compose.yaml)" 'COPY prometheus promtool /usr/bin/
ENTRYPOINT ["prometheus"]' /usr/bin

compose() { docker compose -f /repository/envoy/compose/compose.yaml "$@"; }
trap 'compose logs >/out/logs 2>&1; docker ps -aq | xargs -r docker inspect --format "{{.Name}} {{json .State.Health}}" >>/out/logs; kill $dockerd; wait $dockerd || true' EXIT
compose config -q
# Grafana's image cannot be made here.
compose up -d --wait --no-build envoy providers prometheus >/out/up 2>&1
ask() { curl -sS -m 30 localhost:10000/v1/messages -H 'content-type: application/json' -H 'x-api-key: k' -d @/repository/envoy/compose/conversation.json; }
ask >/out/first
ask >/out/second
read=$(sed -n 's/.*"cache_read_input_tokens":\([0-9]*\).*/\1/p' /out/second)
for _ in $(seq 60); do
  curl -sS 'localhost:9090/api/v1/query?query=warmpath_tokens_total%7Bkind=%22read%22%7D' >/out/query
  grep -q "\"$read\"" /out/query && break
  sleep 1
done
compose ps --format json >/out/ps
compose down >/out/down 2>&1
docker ps -aq >/out/left
