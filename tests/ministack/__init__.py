"""A second opinion on SQS and S3: ministack, a server of others, in an environment of its own.

It pins another botocore than boto3 wants, so it cannot live beside gpuqueue.
``python -m tests.ministack`` makes its environment and runs the contracts of queues and buckets
against it; without that environment the tests that need it are skipped.
"""
