"""aws.py - what a customer does at AWS, against moto.

aws.py URL WORK setup|put N|lose|odd|settled

WORK gets "keys" (an access key that may do what the agent needs, and one that
may only assume a role) and "ledger" (the events that were written).
"""
import gzip
import json
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


def client(name, keys=("setup", "setup")):
    # moto cannot check a signature over a body in chunks.
    return boto3.client(name, endpoint_url=url, region_name="eu-west-1",
                        config=Config(request_checksum_calculation="when_required"),
                        aws_access_key_id=keys[0], aws_secret_access_key=keys[1])


def owner(name):
    return client(name, open(f"{work}/keys").read().split()[:2])


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


def file_of(n, events=30):
    """A file of CloudTrail, its events as they are."""
    return [json.dumps({"eventVersion": "1.11", "eventTime": f"2026-01-01T00:00:{i:02}Z",
                        "eventID": f"{n:08x}-0000-4000-8000-{i:012x}", "requestParameters": None,
                        "n": 0.10, "text": "\u20ac\"\\"}, ensure_ascii=i % 2 == 0)
            for i in range(events)]


def key_of(n):
    # moto cannot check signatures over names that are encoded.
    kind = ["CloudTrail", "CloudTrail-Insight"][n % 2]
    return f"AWSLogs/{account}/{kind}/eu-west-1/2026/01/01/{account}_{kind}_{n}.json.gz"


def write(where, n, key=None):
    events = file_of(n)
    body = ('{ "Records" : [\n' + " ,\n".join(events) + "]}").encode()
    if n % 3:
        body = gzip.compress(body[:100]) + gzip.compress(body[100:])
    with open(f"{work}/ledger", "a") as f:
        f.write("\n".join(events) + "\n")
    owner("s3").put_object(Bucket=where, Key=key or key_of(n), Body=body)


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
    import datetime
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


def settled():
    # All but the odd message are deleted, and that one is not.
    sys.exit(0 if count(queue) + count(aside) == 1 else 1)




{"setup": setup, "put": lambda: put(int(sys.argv[4])), "lose": lose, "odd": odd,
 "settled": settled}[sys.argv[3]]()
