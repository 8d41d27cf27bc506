# One image for every role; compose.yaml says which process does what.
#   docker build -t cordboard .
#   docker run -p 8000:8000 -v cordboard:/data cordboard        the whole of it in one container

FROM python:3.13-slim-bookworm AS build
ENV PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
# 1 where a company's proxy breaks TLS open, and the base image has its certificate.
ARG UV_SYSTEM_CERTS
# Before the code, so that a change of it does not install everything again.
COPY requirements/ requirements/
RUN python -m venv /venv \
    && python -m pip install --require-hashes -r requirements/bootstrap.txt \
    && uv pip sync --python /venv/bin/python --require-hashes --compile-bytecode requirements/runtime.txt
COPY . .
RUN /venv/bin/python -m compileall -q agents config routing supervisors workflows \
    && SECRET_KEY=only-for-collecting-static-files DATA_DIR=/tmp/data STATIC_MANIFEST=1 \
       /venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Cordboard" \
      org.opencontainers.image.description="A self-hosted work router" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin cordboard \
    && install -d -o cordboard -g cordboard -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER cordboard
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AUTOBAHN_USE_NVX=0 \
    DATA_DIR=/data \
    STATIC_MANIFEST=1 \
    HOST=0.0.0.0 \
    PORT=8000
VOLUME /data
EXPOSE 8000
# Answers what is under way first: give it longer than DRAIN_SECONDS, as with `docker stop -t 20`.
STOPSIGNAL SIGTERM
# Whether it can answer requests. `/healthz` also fails for other processes, which no restart mends.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=5)"]
CMD ["python", "manage.py", "serve"]
