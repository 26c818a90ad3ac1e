"""The files of deploy/ parse, and agree with each other, with the clients and with the exports."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.served import EXAMPLES

yaml = pytest.importorskip("yaml")

DEPLOY = Path(__file__).parents[1] / "deploy"
CONFIGS = {"models.config", "monitoring.config", "batching.config"}


def read(name):
    return (DEPLOY / name).read_text()


def parts():
    """`{kind: document}` of the Kubernetes manifest."""
    return {document["kind"]: document for document in yaml.safe_load_all(read("kubernetes.yaml"))}


def container():
    (one,) = parts()["Deployment"]["spec"]["template"]["spec"]["containers"]
    return one


def compose():
    return yaml.safe_load(read("compose.yaml"))["services"]


def dockerfile():
    """`{instruction: [arguments, ...]}`."""
    lines = read("Dockerfile").replace("\\\n", "").splitlines()
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            instruction, arguments = line.split(maxsplit=1)
            found.setdefault(instruction, []).append(arguments)
    return found


def flags():
    """`{flag: value or None}` of the server."""
    return dict((*flag.removeprefix("--").split("=", 1), None)[:2] for flag in container()["args"])


def models():
    """Entries of models.config, read by the server's own protocol."""
    pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    return text_format.Parse(
        read("models.config"), pb2.ModelServerConfig()
    ).model_config_list.config


def test_the_server_gets_the_same_flags_everywhere():
    assert container()["args"] == compose()["serving"]["command"]
    assert container()["args"] == json.loads(dockerfile()["CMD"][0])
    entry = dockerfile()["ENTRYPOINT"][0]
    assert json.loads(entry) == compose()["serving"]["entrypoint"] == ["tensorflow_model_server"]
    assert "enable_per_model_batching_parameters" in flags()  # each export brings its own


def test_the_files_that_flags_name_are_there():
    named = {value for value in flags().values() if value and value.startswith("/")}
    assert named == {f"/config/{name}" for name in CONFIGS}
    mounted = {v.split(":")[-2] for v in compose()["serving"]["volumes"]}
    assert named < mounted
    assert {mount["mountPath"] for mount in container()["volumeMounts"]} >= {"/config"}
    (generated,) = yaml.safe_load(read("kustomization.yaml"))["configMapGenerator"]
    assert set(generated["files"]) == CONFIGS
    (config, _) = parts()["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert config["configMap"]["name"] == generated["name"]
    for copied in dockerfile()["COPY"]:
        *sources, _ = copied.split()
        for source in sources:
            assert source == "${MODELS}" or (DEPLOY.parent / source).exists()


def test_ports_are_those_of_the_clients_and_of_the_development_server():
    from keras_pixelrnn.cli import serve

    defaults = {option.name: option.default for option in serve.command.params}
    grpc, rest = str(defaults["port"]), str(defaults["rest_port"])
    assert f'"localhost:{grpc}"' in (EXAMPLES / "grpc_client.py").read_text()
    url = re.search(
        r'"http://localhost:(\d+)/v1/models/(\w+)"', (EXAMPLES / "rest_client.py").read_text()
    )
    assert url[1] == rest
    assert url[2] in {model.name for model in models()}
    assert (flags()["port"], flags()["rest_api_port"]) == (grpc, rest)
    assert dockerfile()["EXPOSE"] == [f"{grpc} {rest}"]
    published = [port.split(":")[1:] for port in compose()["serving"]["ports"]]
    assert published == [[grpc, grpc], [rest, rest]]
    named = {port["name"]: str(port["containerPort"]) for port in container()["ports"]}
    assert named == {"grpc": grpc, "rest": rest}
    for port in parts()["Service"]["spec"]["ports"]:
        assert named[port["targetPort"]] == str(port["port"])


def test_models_and_their_labels_are_versions_in_the_repository():
    for model in models():
        policy = model.model_version_policy.specific.versions
        assert set(model.version_labels.values()) <= set(policy)
        assert Path(model.base_path).parent == Path("/models")
        for version in policy:
            assert (DEPLOY.parent / "saved_models" / model.name / str(version)).is_dir()
    assert compose()["serving"]["volumes"][0].split(":")[-2:] == ["/models", "ro"]
    assert [copied for copied in dockerfile()["COPY"] if copied.endswith(" /models")]


def test_probes_ask_for_a_model_by_paths_of_the_protocol():
    rest = pytest.importorskip("keras_pixelrnn.serving.server.rest")
    for probe in ("startupProbe", "readinessProbe"):
        asked = container()[probe]["httpGet"]
        found = rest.PATH.match(asked["path"])
        assert found["name"] in {model.name for model in models()}
        assert asked["port"] == "rest"
    assert container()["livenessProbe"]["tcpSocket"]["port"] == "grpc"
    spec = parts()["Deployment"]["spec"]
    selector = spec["selector"]["matchLabels"]
    assert selector == spec["template"]["metadata"]["labels"]
    assert selector == parts()["Service"]["spec"]["selector"]
    assert selector == parts()["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    longest = int(flags()["rest_api_timeout_in_ms"]) / 1000
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > longest


def test_monitoring_asks_where_the_server_answers():
    path = re.search(r'path: "(.*)"', read("monitoring.config"))[1]
    (job,) = yaml.safe_load(read("prometheus.yaml"))["scrape_configs"]
    assert job["metrics_path"] == path
    annotations = parts()["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == path
    assert annotations["prometheus.io/port"] == flags()["rest_api_port"]
    (targets,) = job["static_configs"]
    assert targets["targets"] == [f"serving:{flags()['rest_api_port']}"]
    assert "serving" in compose()
    rules = yaml.safe_load(read("alerts.yaml"))["groups"][0]["rules"]
    for rule in rules:
        assert re.search(rf':tensorflow:serving:|up{{job="{job["job_name"]}"}}', rule["expr"])
    assert yaml.safe_load(read("prometheus.yaml"))["rule_files"] == ["alerts.yaml"]


def test_batching_parameters_are_read_as_the_development_server_reads_them():
    batching = pytest.importorskip("keras_pixelrnn.serving.server.batching")
    threads = batching.read_parameters(read("batching.config")).num_batch_threads
    assert threads == 4
    assert int(flags()["tensorflow_inter_op_parallelism"]) > threads  # drawings hold one each


def test_threads_are_enough_for_full_batches():
    """Each request that waits for its batch holds one."""
    full = pytest.importorskip("keras_pixelrnn.serving.export").BATCH_SIZES[-1]
    assert int(flags()["grpc_max_threads"]) > full
    assert int(flags()["rest_api_num_threads"]) > full


def test_alerts_are_within_what_the_server_measures():
    """Its buckets of waiting for a batch end at 100 us * 1.2**51; no quantile is beyond."""
    (group,) = yaml.safe_load(read("alerts.yaml"))["groups"]
    (waiting,) = [rule["expr"] for rule in group["rules"] if "queuing_latency" in rule["expr"]]
    assert float(waiting.split(">")[1]) < 100 * 1.2**51


def test_tools_of_operators_accept_the_files(tmp_path):
    """Those that are installed here, of pip and apt; none is needed."""
    (tmp_path / "prometheus.yml").write_text(read("prometheus.yaml"))
    (tmp_path / "alerts.yaml").write_text(read("alerts.yaml"))
    manifest = tmp_path / "all.yaml"
    commands = [
        ["promtool", "check", "config", "--lint=all", tmp_path / "prometheus.yml"],
        ["kubectl", "kustomize", DEPLOY, "--output", manifest],
        ["kubernetes-validate", "--strict", manifest],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        ["hadolint", DEPLOY / "Dockerfile"],
    ]
    manifest.write_text(read("kubernetes.yaml"))  # where kubectl is not there to make it
    found = [command for command in commands if shutil.which(command[0])]
    if not found:
        pytest.skip("none of them is installed")
    for command in found:
        done = subprocess.run(command, capture_output=True, text=True)
        assert not done.returncode, done.stdout + done.stderr
