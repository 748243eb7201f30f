# The same on a base with lastout baked in (Dockerfile.distroless): only a CMD is left to say.
ARG BASE
FROM ${BASE}
ARG TARGETARCH
COPY ${TARGETARCH}/report /app/report
USER 65532:65532
ENV LASTOUT_SIDECAR="cloud-sql-proxy envoy?" LASTOUT_REPORT=-
CMD ["/app/report", "--day", "yesterday", "--connect", "127.0.0.1:5432", "--run", "1s"]
