# Does what user data says that is not about packages: files as they are to be
# written, commands as they are to be run.
import grp
import os
import subprocess
import yaml

data = yaml.safe_load(open("/srv/user-data.yaml"))
assert data["packages"] == ["sealfeed"], data["packages"]
for f in data["write_files"]:
    assert f["defer"], f["path"] + " needs what the package brings"
    with open(f["path"], "w") as out:
        out.write(f["content"])
    user, group = f["owner"].split(":")
    assert user == "root"
    os.chown(f["path"], 0, grp.getgrnam(group).gr_gid)
    os.chmod(f["path"], int(f["permissions"], 8))
for c in data["runcmd"]:
    subprocess.run(c, shell=isinstance(c, str), check=True)
