# Tickline's one image: ingestor, sidecar and the tickline command.   docs/image.md
#
# The final stage begins from nothing: Node, the libraries it is linked to, the programs, their packages. There is no shell
# and no package manager in it. Any base with Node 24, npm and glibc will do to build it.
ARG BASE_IMAGE=node:24-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
# Packages change less often than sources: this layer is used again until they do. No package's script is run.
COPY .npmrc package.json package-lock.json ./
COPY schemas/package.json schemas/
COPY services/ingestor/package.json services/ingestor/
COPY services/sidecar/package.json services/sidecar/
COPY services/replay/package.json services/replay/
RUN npm ci --ignore-scripts
COPY LICENSE tsconfig.base.json ./
COPY schemas schemas
COPY scripts/image scripts/image
COPY scripts/stack/run-tool.ts scripts/stack/
COPY services services
RUN ["node", "scripts/image/bundle.ts", "--out", "/bundle"]
RUN ["node", "scripts/image/runtime-root.ts", "--bundle", "/bundle", "--out", "/root-of-image"]

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tickline" \
      org.opencontainers.image.description="Exact, normalized crypto market data from exchange WebSockets into Kafka" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /root-of-image/ /
ENV NODE_ENV=production \
    PATH=/usr/local/bin
WORKDIR /app
USER 10001:10001
# Node is process 1: the programs handle SIGTERM and SIGINT themselves, and start no others that would have to be reaped.
ENTRYPOINT ["node"]
CMD ["services/ingestor/main.js", "--help"]
