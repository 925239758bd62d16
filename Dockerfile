# Four images from one lock: `airflow` (the official one with the wheel, DAGs and SQL), `postrank` (streamer, local AWS),
# `app` (the pages over the warehouse) and `spark` (windows of the stream, where there is no EMR).
#   docker build --target airflow -t postrank-airflow .
#   docker build --target postrank -t postrank .
#   docker build --target app -t postrank-app .
#   docker build --target spark -t postrank-spark .

# checkov:skip=CKV_DOCKER_2:docker-compose.yaml has a health check for each service; one image runs several.
# Base images are pinned by version; the provenance of each build records their digests. Pin them with
# `docker buildx imagetools inspect` where a registry can be reached.

# The wheel, and what the lock says beside it, without development tools.
FROM python:3.11.14-slim-bookworm AS build
RUN pip install --no-cache-dir 'uv>=0.9,<1'
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY src src
COPY packages packages
RUN uv build --wheel --out-dir /out/postrank \
    && uv build --wheel --package localaws --out-dir /out/localaws \
    && uv export --frozen --no-dev --no-emit-workspace --extra airflow --output-file /out/airflow.txt --quiet \
    && uv export --frozen --no-dev --no-emit-workspace --extra localaws --output-file /out/postrank.txt --quiet \
    && uv export --frozen --no-dev --no-emit-workspace --extra app --output-file /out/app.txt --quiet \
    && uv build --wheel --package postrank-spark --out-dir /out/spark \
    && uv export --frozen --no-dev --no-emit-workspace --package postrank-spark --extra pyspark --output-file /out/spark.txt --quiet
# The authorities of RDS ("Using SSL/TLS to encrypt a connection to a DB instance").
RUN python -c "import urllib.request as u; u.urlretrieve( \
    'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem', '/out/rds.pem')"

FROM apache/airflow:slim-3.3.2-python3.11 AS airflow
COPY --from=build --chown=airflow:0 /out /tmp/out
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/out/airflow.txt \
    && pip install --no-cache-dir --no-deps /tmp/out/postrank/*.whl \
    && mkdir -p /opt/airflow/passwords
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 include /opt/airflow/include
COPY --from=build /out/rds.pem /etc/postrank/rds.pem
ENV POSTRANK_INCLUDE=/opt/airflow/include
# What stays writable on a read-only root: a volume takes its owner from here.
RUN mkdir -p /opt/airflow/home
VOLUME ["/opt/airflow/home", "/tmp"]

FROM python:3.11.14-slim-bookworm AS app
COPY --from=build /out /tmp/out
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/out/app.txt \
    && pip install --no-cache-dir --no-deps /tmp/out/postrank/*.whl \
    && useradd --uid 10001 --create-home postrank
COPY --from=build /out/rds.pem /etc/postrank/rds.pem
# What stays writable on a read-only root: a volume takes its owner from here.
RUN install --directory --mode=0700 --owner=10001 --group=10001 /scratch
VOLUME ["/scratch", "/tmp"]
USER 10001
WORKDIR /home/postrank
COPY app /opt/postrank/app
EXPOSE 8501
ENTRYPOINT ["streamlit", "run", "/opt/postrank/app/main.py"]

FROM python:3.11.14-slim-bookworm AS postrank
COPY --from=build /out /tmp/out
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/out/postrank.txt \
    && pip install --no-cache-dir --no-deps /tmp/out/postrank/*.whl /tmp/out/localaws/*.whl \
    && useradd --uid 10001 --create-home postrank \
    && install --directory --mode=0700 --owner=10001 --group=10001 /var/lib/postrank
USER 10001
WORKDIR /home/postrank
COPY include/sample /usr/share/postrank/sample
ENTRYPOINT ["postrank"]

FROM python:3.11.14-slim-bookworm AS spark
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /tmp/out
ENV POSTRANK_SPARK_CACHE=/opt/postrank-spark
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/out/spark.txt \
    && pip install --no-cache-dir --no-deps /tmp/out/spark/*.whl \
    && postrank-spark jars \
    && useradd --uid 10001 --create-home postrank \
    && install --directory --mode=0700 --owner=10001 --group=10001 /var/lib/postrank
USER 10001
WORKDIR /home/postrank
COPY include/sql/stream include/sql/stream
ENTRYPOINT ["postrank-spark"]
