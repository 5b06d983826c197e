"""aws.py - what a customer does at AWS, against moto.

aws.py URL WORK setup|put N|lose|odd|digests|settled|hours ...

WORK gets "keys" (an access key that may do what the agent needs, and one that
may only assume a role), "ledger" (the events that were written), "digest.pem"
(the public key of digests) and "hour" (the first that they account for).
"""
import datetime
import functools
import gzip
import hashlib
import json
import subprocess
import sys

import boto3
import moto
from botocore.config import Config

url, work = sys.argv[1:3]
account = "123456789012"
role = f"arn:aws:iam::{account}:role/reader"
queue = f"{url}/{account}/trail"
aside = f"{url}/{account}/aside"
bucket, quiet = "trail", "quiet"


@functools.lru_cache
def client(name, keys=("setup", "setup")):
    # moto cannot check a signature over a body in chunks.
    return boto3.client(name, endpoint_url=url, region_name="eu-west-1",
                        config=Config(request_checksum_calculation="when_required"),
                        aws_access_key_id=keys[0], aws_secret_access_key=keys[1])


def owner(name):
    return client(name, tuple(open(f"{work}/keys").read().split()[:2]))


def allow(actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def setup():
    # moto lets these calls pass without looking at their signatures.
    iam = client("iam")
    keys = []
    for name, actions in (("owner", ["*"]), ("agent", ["sts:AssumeRole"])):
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=allow(actions))
        keys += [key["AccessKeyId"], key["SecretAccessKey"]]
    with open(f"{work}/keys", "w") as f:
        f.write("\n".join(keys) + "\n")
    iam = owner("iam")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=allow(["sts:AssumeRole"]))
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=allow([
        "s3:GetObject", "s3:ListBucket", "sqs:ReceiveMessage", "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
        # AWS has no actions of these names, which moto wants.
        "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch"]))
    s3, sqs, sns = owner("s3"), owner("sqs"), owner("sns")
    for name in (bucket, quiet):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={
            "LocationConstraint": "eu-west-1"})
    sqs.create_queue(QueueName="aside")
    arn = f"arn:aws:sqs:eu-west-1:{account}:"
    sqs.create_queue(QueueName="trail", Attributes={"RedrivePolicy": json.dumps({
        "deadLetterTargetArn": arn + "aside", "maxReceiveCount": 9})})
    topic = sns.create_topic(Name="trail")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn + "trail")
    # Half of the folders are told directly, half by a topic.
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn + "trail", "Events": ["s3:ObjectCreated:*"]}],
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
    for args in (["genrsa", "-out", f"{work}/digest.key", "2048"],
                 ["rsa", "-in", f"{work}/digest.key", "-pubout", "-out", f"{work}/digest.pem"]):
        subprocess.run(["openssl", *args], check=True, stderr=subprocess.DEVNULL)


def file_of(n, events=30, when="2026-01-01T00:00"):
    """A file of CloudTrail, its events as they are."""
    return [json.dumps({"eventVersion": "1.11", "eventTime": f"{when}:{i:02}Z",
                        "eventID": f"{n:08x}-0000-4000-8000-{i:012x}", "requestParameters": None,
                        "n": 0.10, "text": "\u20ac\"\\"}, ensure_ascii=i % 2 == 0)
            for i in range(events)]


def key_of(n):
    # moto cannot check signatures over names that are encoded.
    kind = ["CloudTrail", "CloudTrail-Insight"][n % 2]
    return f"AWSLogs/{account}/{kind}/eu-west-1/2026/01/01/{account}_{kind}_{n}.json.gz"


def write(where, n, key=None, **kinds):
    """Its key, and the hash that a digest has of it."""
    events = file_of(n, **kinds)
    body = plain = ('{ "Records" : [\n' + " ,\n".join(events) + "]}").encode()
    if n % 3:
        body = gzip.compress(body[:100]) + gzip.compress(body[100:])
    with open(f"{work}/ledger", "a") as f:
        f.write("\n".join(events) + "\n")
    owner("s3").put_object(Bucket=where, Key=key or key_of(n), Body=body)
    return key, hashlib.sha256(plain).hexdigest()


def put(n):
    for i in range(n):
        write(bucket, i)
        with open(f"{work}/put", "w") as f:
            f.write(str(i))


def name_oddly():
    """Names that a signature and a notification must get right."""
    # Before 5.2 moto's notifications have names as they are, not encoded as AWS's.
    encoded = tuple(map(int, moto.__version__.split(".")[:2])) >= (5, 2)
    for i, name in enumerate(("..//.", "'()*~:@") + (("a b+c=d", "\u00e4%41&?#") if encoded else ())):
        write(bucket, 900 + i, f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/01/01/{name}.json.gz")


def lose():
    """Objects without a word, in folders of today and yesterday; and a word
    without its object."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = [(now - datetime.timedelta(days=d)).strftime("%Y/%m/%d") for d in (0, 1)]
    for i, kind in enumerate(("CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity",
                              "CloudTrail-Aggregated")):
        for org in ("", "o-abc123/"):
            n = 1000 + 2 * i + len(org) // 9
            write(quiet, n, f"AWSLogs/{org}{account}/{kind}/eu-west-1/{day[i % 2]}/"
                            f"{account}_{kind}_eu-west-1_{n}.json.gz")
    name_oddly()
    owner("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-01-01T00:00:00Z",
        "s3": {"bucket": {"name": bucket}, "object": {"key": "AWSLogs/gone.json.gz", "size": 9}}}]}))


def odd():
    owner("sqs").send_message(QueueUrl=queue, MessageBody="not a notification")


def count(which):
    a = owner("sqs").get_queue_attributes(QueueUrl=which, AttributeNames=["All"])["Attributes"]
    return int(a["ApproximateNumberOfMessages"]) + int(a["ApproximateNumberOfMessagesNotVisible"])


def digest(hour, files, before):
    """The digest of an hour, behind another one: its key, hash and signature."""
    end = (hour + datetime.timedelta(hours=1)).strftime
    key = (f"AWSLogs/{account}/CloudTrail-Digest/eu-west-1/{end('%Y/%m/%d')}/"
           f"{account}_CloudTrail-Digest_eu-west-1_trail_eu-west-1_{end('%Y%m%dT%H%M%SZ')}.json.gz")
    body = json.dumps({
        "awsAccountId": account, "digestStartTime": hour.strftime(STAMP),
        "digestEndTime": end(STAMP), "digestS3Bucket": quiet, "digestS3Object": key,
        "digestPublicKeyFingerprint": "f1", "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": before and quiet, "previousDigestS3Object": before and before[0],
        "previousDigestHashValue": before and before[1],
        "previousDigestSignature": before and before[2],
        "logFiles": [{"s3Bucket": quiet, "s3Object": name, "hashValue": value,
                      "hashAlgorithm": "SHA-256"} for name, value in files]}).encode()
    value = hashlib.sha256(body).hexdigest()
    words = f"{end(STAMP)}\n{quiet}/{key}\n{value}\n{before[2] if before else 'null'}"
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{work}/digest.key"],
                               input=words.encode(), capture_output=True, check=True).stdout.hex()
    owner("s3").put_object(Bucket=quiet, Key=key, Body=gzip.compress(body),
                           Metadata={"signature": signature})
    return key, value, signature


STAMP = "%Y-%m-%dT%H:%M:%SZ"


def digests():
    """Of three hours: one whose files nothing else tells of, one whose file is
    gone, and one whose file is another now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    first = now.replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=8)
    with open(f"{work}/hour", "w") as f:
        f.write(first.strftime(STAMP))
    before = None
    for i in range(3):
        hour = first + datetime.timedelta(hours=i)
        files = [(f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/01/02/lost.json.gz", "0" * 64)]
        if i != 1:
            files = [write(quiet, 2000 + n, f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/01/02/{n}.json.gz",
                           when=hour.strftime("%Y-%m-%dT%H:17")) for n in (i, i + 10)]
        if i == 2:
            files[0] = (files[0][0], "0" * 64)
        before = digest(hour, files, before)


def hours():
    """What sealfeed reconcile says of them, and of one before and one behind."""
    first = datetime.datetime.strptime(open(f"{work}/hour").read(), STAMP)
    told = {h["hour"][:13]: h for h in json.load(sys.stdin)["sources"][0]["hours"]}
    none = "no validated digest covers all of it"
    chain = f": {account}_CloudTrail-Digest_eu-west-1_trail_eu-west-1"
    for i, state, events, confirmed, error in (
            (-1, "unconfirmed", 0, 0, none),
            (0, "confirmed", 60, 60, None),
            (1, "unconfirmed", 0, 0, "a file that the digest names is a gap: "),
            (2, "unconfirmed", 60, 0, "a file is not as CloudTrail delivered it: "),
            (3, "unconfirmed", 0, 0, none + chain)):
        h = told[(first + datetime.timedelta(hours=i)).strftime("%Y-%m-%dT%H")]
        if not (h["state"] == state and h["confirmed"] == confirmed and
                h["listed"] == (events if state == "confirmed" else None) and
                h["collected"] == h["sealed"] == h["delivered"]["lake"] == events and
                (h["error"].startswith(error) if error else h["error"] is None)):
            sys.exit(f"hour {i}: {h}")


def settled():
    # All but the odd message are deleted, and that one is not.
    sys.exit(0 if count(queue) + count(aside) == 1 else 1)


does = sys.argv[3:]
if does[0] == "put":
    put(int(does[1]))
else:
    for name in does:
        {"setup": setup, "lose": lose, "odd": odd, "digests": digests, "settled": settled,
         "hours": hours}[name]()
