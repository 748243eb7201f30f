//! What `doctor` and `rescue` have to be allowed, and no more.

/// Two ClusterRoles, for `kubectl apply -f -`.
pub const ROLES: &str = "\
# Bind them by a ClusterRoleBinding for the whole cluster, or by a RoleBinding for one namespace.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: lastout-doctor
rules:
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [list]
# Why one that lastout runs hangs; without it the reason is that of the manifest.
- apiGroups: [\"\"]
  resources: [pods/log]
  verbs: [get]
# The CronJob that a Job is of, and its deadline; where many hang, all Jobs in one list.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list]
# Only where pods may not be listed in all namespaces: those in which they may.
- apiGroups: [\"\"]
  resources: [namespaces]
  verbs: [list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: lastout-rescue
rules:
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [get, list]
# `get`: by the websocket; `create`: without it 1.36 refuses the same request.
- apiGroups: [\"\"]
  resources: [pods/portforward]
  verbs: [get, create]
# Only for --ephemeral, for sockets, and where port-forward is forbidden.
- apiGroups: [\"\"]
  resources: [pods/ephemeralcontainers]
  verbs: [patch]
- apiGroups: [\"\"]
  resources: [pods/log]
  verbs: [get]
# How the Job ended.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get]
";
