# Mapsight's driver, in two images (docs/container.md):
#   docker build -t mapsight .                        runs on one machine, and serves
#   docker build -t mapsight-edge --target edge .     the same with Java, for -r hadoop
# PYTHON: its minor version has to be that of the cluster's nodes.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /src
COPY . .
# an environment of its own is copied as one folder, without what built it
RUN python -m venv /opt/mapsight \
    && /opt/mapsight/bin/pip install --no-cache-dir '.[driver,serve]'

FROM python:${PYTHON}-slim-bookworm AS base
RUN useradd --create-home --uid 10001 mapsight \
    && install --directory --owner mapsight /data
COPY --from=build /opt/mapsight /opt/mapsight
ENV PATH=/opt/mapsight/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
ENTRYPOINT ["mapsight"]
CMD ["--help"]

FROM base AS edge
# its version is Debian's: security updates of Java come with a new build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends default-jre-headless \
    && rm -rf /var/lib/apt/lists/*
# the cluster's own Hadoop client and configuration are mounted there
ENV JAVA_HOME=/usr/lib/jvm/default-java HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=/etc/hadoop/conf
USER 10001

FROM base
USER 10001
EXPOSE 8000
