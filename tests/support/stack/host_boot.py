"""Boots a host from its user data, in a mount namespace of its own: what cloud-init writes and runs, on this machine's
file system with a layer above it that is gone afterwards.

    unshare --mount python boot.py SPEC     SPEC: a JSON file with `user_data`, `folder`, `disk`, `volume`, `instance`,
                                            `root` (boto3's options for a client of the account's root)

The disk is a loop device, which appears when the volume is attached. In place of systemd, a `systemctl` that runs what
the unit runs before and checks what it would start; in place of XFS, ext4. Prints what came of it, as JSON.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import yaml

from localaws.testing.patience import patient

LAYERED = ("/etc", "/opt", "/usr/local", "/var/lib", "/dev")
STATE = Path("/var/lib/private")
TOOLS = {
    "/usr/local/bin/systemctl": """
echo "systemctl $*" >> "$BOOT_SAID"
[ "$1" = restart ] || exit 0
unit=/etc/systemd/system/$2
before=$(sed -n 's/^ExecStartPre=+//p' "$unit"); start=$(sed -n 's/^ExecStart=//p' "$unit")
$before && "${start%% *}" --version >> "$BOOT_SAID"
""",
    "/usr/local/bin/mkfs.xfs": 'echo "mkfs.xfs" >> "$BOOT_SAID"; mkfs.ext4 -q "$@"',
    "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl": """
python3 -m json.tool "${7#file:}" > /dev/null && echo "agent $7" >> "$BOOT_SAID"
""",
}


def main(spec: dict[str, Any]) -> None:
    """Boot, and tell."""
    folder, data = Path(spec["folder"]), yaml.safe_load(spec["user_data"])
    _run("mount", "-t", "tmpfs", "tmpfs", folder)
    for number, place in enumerate(LAYERED):
        for part in ("upper", "work"):
            (folder / f"{part}{number}").mkdir()
        layers = f"lowerdir={place},upperdir={folder}/upper{number},workdir={folder}/work{number}"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, place)
    said = folder / "said"
    os.environ |= {"BOOT_SAID": str(said), "INSTANCE_ID": spec["instance"], "WAIT_SECONDS": "0.2"}
    for path, body in TOOLS.items():
        _write(path, f"#!/bin/bash\n{body}\n", "0755")
    for one in data["write_files"]:
        _write(one["path"], one["content"], one["permissions"])
    kernel = threading.Thread(target=_appear, args=(spec,), daemon=True)
    kernel.start()
    for command in data["runcmd"]:
        _run(*command)
    kept = STATE / "postrank-cursor"
    found = kept.read_text() if kept.exists() else None
    kept.write_text(spec["instance"])
    told = {
        "said": said.read_text().splitlines(),
        "current": str(Path("/opt/postrank/current").readlink()),
        "mounted": os.path.ismount(STATE),
        "mode": oct(STATE.stat().st_mode & 0o777),
        "fstab": Path("/etc/fstab").read_text().splitlines()[-1],
        "found": found,
    }
    _run("umount", STATE)
    print("booted " + json.dumps(told))


def _appear(spec: dict[str, Any]) -> None:
    """Let the disk be there once the volume is attached to this instance."""
    ec2 = boto3.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"], **spec["root"])
    while True:
        volume = ec2.describe_volumes(VolumeIds=[spec["volume"]])["Volumes"][0]
        if spec["instance"] in [one["InstanceId"] for one in volume["Attachments"]]:
            break
        time.sleep(0.1)
    device = _run("losetup", "--find", "--show", spec["disk"]).strip()
    link = Path(f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{spec['volume'].replace('-', '')}")
    link.parent.mkdir(parents=True)
    link.symlink_to(device)


def _write(path: str, content: str, permissions: str) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")
    target.chmod(int(permissions, 8))


def _run(*words: Any) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, timeout=patient(240)
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
