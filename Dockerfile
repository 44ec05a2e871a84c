# syntax=docker/dockerfile:1.7
# Every image of the suite:
#
#   docker build --build-arg SERVICE=task-api --tag taskledger/task-api:0.1.0 .
#
# SERVICE is task-api, reminder-scheduler, recurring-generator, notifier or taskledger (the operator's
# binary). The image holds one static program and the licenses of what is in it: no shell, no libraries.
ARG RUST_VERSION=1.95.0
ARG ALPINE_VERSION=3.22

FROM rust:${RUST_VERSION}-alpine${ALPINE_VERSION} AS build
ARG CARGO_AUDITABLE_VERSION=0.7.7
ARG CARGO_ABOUT_VERSION=0.9.3
# The toolchain of the image is the one of rust-toolchain.toml; nothing is fetched for it.
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION}
RUN apk add --no-cache musl-dev make
# The list of crates goes into the program, where scanners find it.
RUN cargo install cargo-auditable --locked --version "${CARGO_AUDITABLE_VERSION}"
RUN cargo install cargo-about --locked --version "${CARGO_ABOUT_VERSION}" --features cli
WORKDIR /source
COPY . .
ARG SERVICE
# Dependencies and their build stay in the caches, so that the next image is built of what changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target,sharing=locked \
    test -n "${SERVICE}" || { echo "say which one: --build-arg SERVICE=task-api" >&2; exit 1; } ; \
    cargo auditable build --locked --profile image --package "${SERVICE}" \
    && cp "target/image/${SERVICE}" /service \
    && cargo about generate --locked --fail --config tools/licenses/about.toml \
       --manifest-path "services/${SERVICE}/Cargo.toml" --output-file /licenses.txt tools/licenses/licenses.hbs

FROM scratch
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE
ARG CREATED
LABEL org.opencontainers.image.title="${SERVICE}" \
      org.opencontainers.image.description="Taskledger: a task-management backend that keeps every change as an event" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /service /licenses.txt /
USER 65532:65532
EXPOSE 8080 8082
ENTRYPOINT ["/service"]
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s --retries=3 CMD ["/service", "health"]
