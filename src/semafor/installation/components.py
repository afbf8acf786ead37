"""The parts of an installation, and the Kubernetes settings that each of them takes.

Source: Istio's reference of IstioOperator, KubernetesResourcesSpec.
"""

from semafor.installation.keys import THE_MACHINES, Idle, Tree
from semafor.resources.apps.deployment import DeploymentStrategy
from semafor.resources.autoscaling.horizontal_pod_autoscaler import HorizontalPodAutoscalerSpec
from semafor.resources.core.affinity import Affinity, Toleration
from semafor.resources.core.container import EnvVar, ResourceRequirements, VolumeMount
from semafor.resources.core.probe import Probe
from semafor.resources.core.security import PodSecurityContext
from semafor.resources.core.service import ServiceSpec
from semafor.resources.core.volume import Volume
from semafor.resources.policy.pod_disruption_budget import PodDisruptionBudgetSpec

K8S: dict[str, Tree] = {
    "affinity": Affinity,
    "env": [EnvVar],
    "hpaSpec": HorizontalPodAutoscalerSpec,
    "imagePullPolicy": "text",
    "nodeSelector": "texts",
    "podDisruptionBudget": PodDisruptionBudgetSpec,
    "podAnnotations": "texts",
    "priorityClassName": "text",
    "readinessProbe": Probe,
    "replicaCount": "count",
    "resources": ResourceRequirements,
    "service": ServiceSpec,
    "serviceAnnotations": "texts",
    "strategy": DeploymentStrategy,
    "tolerations": [Toleration],
    "securityContext": PodSecurityContext,
    "volumes": [Volume],
    "volumeMounts": [VolumeMount],
    "overlays": [
        {
            "apiVersion": "text",
            "kind": "text",
            "name": "text",
            "patches": [{"path": "text", "value": "any"}],
        }
    ],
}
_COMPONENT: dict[str, Tree] = {"enabled": "bool", "namespace": "text", "hub": THE_MACHINES, "tag": THE_MACHINES}
GATEWAY: dict[str, Tree] = {**_COMPONENT, "name": "text", "label": "texts", "k8s": K8S}
_AMBIENT = Idle("there are sidecars, and no other data plane")
TREE: dict[str, Tree] = {
    "base": {"enabled": "bool", "k8s": Idle("the definitions of kinds are part of the mesh, and no workload")},
    "pilot": {**_COMPONENT, "namespace": Idle("the control plane is in istio-system"), "k8s": K8S},
    "ingressGateways": [GATEWAY],
    "egressGateways": [GATEWAY],
    "cni": Idle("the node redirects connections itself, without a plug-in"),
    "ztunnel": _AMBIENT,
    "istiodRemote": Idle("there is one machine, and no second cluster"),
    "gateway": Idle("name gateways in ingressGateways and egressGateways, or write Gateways of the Gateway API"),
}
# Words of older or mistaken files, each with what is meant.
MEANT: dict[str, str] = {"ingressGateway": "ingressGateways", "egressGateway": "egressGateways"}
