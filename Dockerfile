# The image of Latchkey: the program, `latchkey-token` beside it, and the folders that they use. No shell, no package, no library.
#
#   docker build --tag latchkey .
#
# docs/deploying.md says how to run it; docker-compose.yml does. It builds with BuildKit, buildah or podman.

# The one image that this is built from, by exact version. To pin its bytes as well, append the digest that
# `docker buildx imagetools inspect <image>` prints:
#   docker build --build-arg RUST=docker.io/library/rust:1.95.0-slim-bookworm@sha256:… .
ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm

FROM ${RUST} AS build
WORKDIR /src
COPY . .
# Linked with its libraries, so that it runs in an image that has none, and can be copied into any other. Its resolver asks
# /etc/hosts and DNS, as /etc/nsswitch.conf says below. The target is named so that build scripts and macros are linked as ever.
# Downloads and compiled dependencies are kept between builds; the programs leave the cache before it is put away.
RUN --mount=type=cache,id=latchkey-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=latchkey-target,target=/src/target,sharing=locked \
    set -eu; \
    target="$(rustc --print host-tuple)"; \
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --bins --target "$target"; \
    install -D -t /image/usr/local/bin "target/$target/release/latchkey" "target/$target/release/latchkey-token"; \
    if readelf --dynamic /image/usr/local/bin/* | grep NEEDED; then echo "the programs still want these libraries" >&2; exit 1; fi
# A fresh named volume takes over the owner and mode of the folder that it is mounted on.
RUN set -eu; \
    install -d -m 0755 /image/etc/latchkey /image/run /image/usr/share/licenses/latchkey; \
    install -m 0644 -t /image/usr/share/licenses/latchkey LICENSE-MIT LICENSE-APACHE; \
    printf 'hosts: files dns\n' > /image/etc/nsswitch.conf; \
    install -d -m 0700 /owned/root/data; \
    install -d -m 0755 /owned/run/latchkey

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Latchkey" \
      org.opencontainers.image.description="A Discord bot that signs people in, and gives every agent on the host a fresh access token" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# Whose they are is said here: builders do not agree on what becomes of an owner that is not root. What is copied is what
# the folders named here hold, so that its mode comes along.
COPY --from=build --chown=48484:48484 /owned/root /
COPY --from=build --chown=48484:48484 /owned/run /run
# A number, so that it can be checked not to be root's; one of its own, since whoever shares it may have every token.
USER 48484:48484
WORKDIR /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/bin/latchkey", "health"]
ENTRYPOINT ["/usr/local/bin/latchkey"]
CMD ["run"]
