# syntax=docker/dockerfile:1
# One image for every part; VARIANT chooses TensorFlow for the processor or for NVIDIA GPUs.
FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ARG VARIANT=cpu

ENV PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=2 READFIRST_HOME=/var/lib/readfirst
WORKDIR /opt/readfirst

COPY requirements.lock requirements-gpu.lock pyproject.toml README.md LICENSE NOTICE ./
RUN if [ "$VARIANT" = gpu ]; then \
      [ "$(uname -m)" = x86_64 ] || { echo "TensorFlow for GPUs is made for x86-64 only." >&2; exit 2; }; \
      lock=requirements-gpu.lock; \
    else \
      lock=requirements.lock; \
    fi \
 && pip install --no-cache-dir --require-hashes -r "$lock"

COPY cli cli
COPY readfirst readfirst
COPY ingest ingest
COPY models models
COPY laboratory laboratory
COPY results results
COPY db db
COPY worker worker
COPY worklist worklist
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && useradd --system --create-home --uid 10001 readfirst \
 && install -d -o readfirst -m 0700 /var/lib/readfirst \
 && install -d -o readfirst /inbox

USER readfirst
VOLUME ["/var/lib/readfirst", "/inbox"]
ENTRYPOINT ["readfirst"]
CMD ["--help"]
