# syntax=docker/dockerfile:1
# One image for every part; VARIANT chooses TensorFlow for the processor or for NVIDIA GPUs.
FROM python:3.11-slim
ARG VARIANT=cpu

ENV PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=2 READFIRST_HOME=/var/lib/readfirst
WORKDIR /opt/readfirst

COPY requirements.lock requirements-gpu.txt pyproject.toml README.md LICENSE NOTICE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
 && if [ "$VARIANT" = gpu ]; then \
      pip uninstall --yes tensorflow-cpu && pip install --no-cache-dir -r requirements-gpu.txt; \
    fi

COPY readfirst readfirst
COPY ingest ingest
COPY models models
COPY db db
COPY worker worker
COPY worklist worklist
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && useradd --system --create-home --uid 10001 readfirst \
 && install -d -o readfirst /var/lib/readfirst /inbox

USER readfirst
VOLUME ["/var/lib/readfirst", "/inbox"]
ENTRYPOINT ["readfirst"]
CMD ["--help"]
