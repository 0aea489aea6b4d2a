"""Amazon's extended client, in a process of its own, since it replaces boto3's sessions.

``python extended_client.py ENDPOINT QUEUE_URL BUCKET send BODY`` or ``… receive``.
"""

import sys

import boto3
import sqs_extended_client  # noqa: F401 (changes boto3)

endpoint, queue_url, bucket, verb, *rest = sys.argv[1:]
session = boto3.session.Session(
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="exampleSecret",
    region_name="us-east-1",
)
client = session.client("sqs", endpoint_url=endpoint)
client.large_payload_support = bucket
client.s3_client = session.client("s3", endpoint_url=endpoint)
if verb == "send":
    client.always_through_s3 = True
    client.send_message(QueueUrl=queue_url, MessageBody=rest[0])
else:
    received = client.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])
    for message in received["Messages"]:
        sys.stdout.write(message["Body"])
