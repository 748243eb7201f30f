# The same program as a log shipper: `log-shipper FILE` prints what is added to FILE and ends on SIGTERM only.
FROM scratch
ARG TARGETARCH
COPY ${TARGETARCH}/report /log-shipper
USER 65532:65532
ENTRYPOINT ["/log-shipper"]
