"""What of DataHub's metadata service (GMS) takes proposals, made of DataHub's own classes: each proposal must be one that
they read, write again unchanged and find valid by the Avro schema of its aspect, for an entity that has this aspect, under a
URN that they parse. Anything else is answered as GMS does: 422 for an aspect, 400 for no proposal at all.

Run by the interpreter that has acryl-datahub:  datahub_gms.py PORT TOKEN
GET /config is what its clients ask first; GET /taken lists the aspects that were taken, each with its URN and name."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.emitter.serialization_helper import post_json_transform, pre_json_transform
from datahub.metadata.schema_classes import KEY_ASPECTS, MetadataChangeProposalClass
from datahub.metadata.urns import Urn

_taken = []


class Refused(Exception):
    pass


def lost(given, read, where=""):
    """What of `given` is not in `read`, which may have defaults besides."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if key not in read:
                return f"{where}/{key}"
            if found := lost(value, read[key], f"{where}/{key}"):
                return found
        return None
    return None if given == read else where


def urns_in(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("logic", "description", "title"):
                yield from urns_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from urns_in(inner)
    elif isinstance(value, str) and value.startswith("urn:"):
        yield value


def check(given):
    proposal = MetadataChangeProposalClass.from_obj(post_json_transform(given))
    if not proposal.validate():
        raise Refused("this is no MetadataChangeProposal")
    made = MetadataChangeProposalWrapper.try_from_mcpc(proposal)
    if made is None or made.aspect is None or not made.aspect.validate():
        raise Refused(f"the aspect {given['aspectName']} is not valid")
    aspect = json.loads(given["aspect"]["value"])
    if path := lost(aspect, pre_json_transform(made.aspect.to_obj())):
        raise Refused(f"{given['aspectName']} has no {path}")
    urn = Urn.from_string(given["entityUrn"])
    if urn.entity_type != given["entityType"]:
        raise Refused(f"{urn} is no {given['entityType']}")
    known = KEY_ASPECTS[given["entityType"]].ASPECT_INFO["entityAspects"]
    if given["aspectName"] not in known:
        raise Refused(f"Unknown aspect {given['aspectName']} for entity {given['entityType']}")
    for each in urns_in(aspect):
        Urn.from_string(each)
    return {"urn": given["entityUrn"], "aspect": given["aspectName"], "value": aspect}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, _taken if self.path == "/taken" else {"noCode": "true"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {sys.argv[2]}":
            self.answer(401, {"message": "Unauthorized to perform this action."})
        elif self.path != "/aspects?action=ingestProposalBatch" or self.headers["X-RestLi-Protocol-Version"] != "2.0.0":
            self.answer(404, {"message": "No root resource defined for path"})
        else:
            self.take(body)

    def take(self, body):
        try:
            asked = json.loads(body)
            if set(asked) != {"proposals", "async"} or asked["async"] not in ("true", "false"):
                raise ValueError(f"these are not its parameters: {sorted(asked)}")
            if not 0 < len(asked["proposals"]) <= 200:
                raise ValueError("1 to 200 proposals at once")
            made = [check(each) for each in asked["proposals"]]
        except Refused as refusal:
            return self.answer(422, {"status": 422, "message": str(refusal)})
        except Exception as error:
            return self.answer(400, {"status": 400, "message": repr(error)})
        _taken.extend(made)
        self.answer(200, {"value": str([each["urn"] for each in made])})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
