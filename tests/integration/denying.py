"""A broker whose users may do everything that is not denied."""

from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType)

from support import kafka_clients


def denying_properties():
    return {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true", "super.users": "User:nobody"}


def deny(kafka, topic, operation):
    """Denies one operation on a topic to everybody, and allows the others."""
    client = kafka_clients.admin(kafka)
    wanted = [AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", what, permission)
              for what, permission in [(AclOperation[operation], AclPermissionType.DENY),
                                       (AclOperation.ALL, AclPermissionType.ALLOW)]]
    for done in client.create_acls(wanted).values():
        done.result(30)
