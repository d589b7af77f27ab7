"""Reads a secret with hvac, the client of Vault for Python, and says what there is of it."""

import base64
import json
import sys

import hvac

address, namespace, role, secret_id, mount, path = sys.argv[1:]
client = hvac.Client(url=address, namespace=namespace)
client.auth.approle.login(role_id=role, secret_id=secret_id)
assert client.token
kv = client.secrets.kv.v2
read = kv.read_secret_version(path=path, mount_point=mount, raise_on_deleted_version=True)
about = kv.read_secret_metadata(path=path, mount_point=mount)
value = base64.b64decode(read["data"]["data"]["value"], validate=True)
print(json.dumps({"bytes": len(value), "versions": len(about["data"]["versions"])}))
