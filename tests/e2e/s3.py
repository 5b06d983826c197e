#!/usr/bin/env python3
"""The bucket of the story s3: make it with two users, or copy it to a folder.

usage: s3.py URL DIR make|sync
"""
import json
import os
import sys

import boto3

url, top, command = sys.argv[1:]


def client(name, key):
    return boto3.client(name, endpoint_url=url, region_name="eu-central-1",
                        aws_access_key_id=key[0], aws_secret_access_key=key[1])


def make():
    iam = client("iam", ("x", "x"))
    rights = {"admin": ["s3:*"], "key": ["s3:PutObject", "s3:GetObject"]}
    for name, actions in rights.items():
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_user_policy(UserName=name, PolicyName="p",
                            PolicyDocument=json.dumps(policy))
        with open(os.path.join(top, name), "w") as out:
            out.write(key["AccessKeyId"] + ":" + key["SecretAccessKey"])
    where = {"LocationConstraint": "eu-central-1"}
    admin().create_bucket(Bucket="m365", CreateBucketConfiguration=where)


def admin():
    with open(os.path.join(top, "admin")) as key:
        return client("s3", key.read().split(":"))


def sync():
    s3 = admin()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="m365"):
        for o in page.get("Contents", []):
            path = os.path.join(top, "lake/objects", o["Key"])
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                s3.download_file("m365", o["Key"], path)


{"make": make, "sync": sync}[command]()
