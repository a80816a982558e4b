# One image for web, workers, beat and migrations: docker-compose.yml says which runs what.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS built
RUN python -m venv /venv
COPY requirements.txt /tmp/
# Wheels alone, each of a known hash: nothing is compiled, and nothing runs while installing.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary=:all: -r /tmp/requirements.txt
WORKDIR /app
COPY manage.py LICENSE ./
COPY accounts accounts/
COPY api api/
COPY community community/
COPY config config/
COPY messaging messaging/
COPY reminders reminders/
COPY web web/
COPY workers workers/
# Now, because the running container can't write; unchecked, because copying may change times.
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:${PYTHON}-slim
# Celery takes a user without an entry for root in disguise.
RUN groupadd --gid 10001 dosecircle \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin dosecircle
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=built /venv /venv
COPY --from=built /app /app
WORKDIR /app
# A number, so that a cluster can see that it isn't root.
USER 10001:10001
EXPOSE 8000
