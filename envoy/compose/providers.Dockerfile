# The simulated providers.
FROM rust:1.95-bookworm AS build
WORKDIR /warmpath
COPY . .
RUN cargo build -p simulator --release

FROM debian:bookworm-slim
COPY --from=build /warmpath/target/release/simulator /usr/local/bin/simulator
ENTRYPOINT ["simulator"]
