"""Which target a request means."""

import pytest
import requests

from lab import soap
from lab.accounts import PASSWORD
from lab.clients import Pypsrp, Pywinrm, credssp_session
from lab.gateway import HOST_SUFFIX

PYPSRP = Pypsrp("pypsrp")


@pytest.mark.parametrize(
    "route",
    ["wsman/web02", "WSMAN/web02", "wsman/WEB02", "wsman/web02/", "wsman/web02?PSVersion=5.1.17763.771"],
)
def test_the_path_names_the_target(path, route):
    assert PYPSRP.run(path.where(path=route), "ops", PASSWORD, "hostname").out == b"target2\r\n"


@pytest.mark.parametrize("client", [PYPSRP, Pywinrm("pywinrm")], ids=lambda c: c.name)
def test_the_host_name_names_the_target(path, resolve, client):
    """For clients whose path is fixed."""
    host = f"web02.{HOST_SUFFIX}"
    resolve([host])
    place = path.where(host=host, path="wsman")
    assert client.run(place, "ops", PASSWORD, "hostname").out == b"target2\r\n"


def test_both_may_name_the_same_one(path, resolve):
    host = f"web02.{HOST_SUFFIX}"
    resolve([host])
    assert (
        PYPSRP.run(path.where(host=host, target="web02"), "ops", PASSWORD, "hostname").out == b"target2\r\n"
    )


def refused(path, place):
    session = credssp_session(place, "ops", PASSWORD)
    assert session.post(place.url, soap.IDENTIFY).status_code == 200
    answer = soap.Answer(session.post(place.url, soap.create()))
    assert answer.status == 500 and answer.fault
    path.nothing_reached_a_target()
    return answer.reason


def test_a_listener_that_knows_its_names_takes_no_others(another, resolve):
    path = another(https=f'server_names = ["gw.test", "web02.{HOST_SUFFIX}"]')
    resolve(["gw.test", f"web02.{HOST_SUFFIX}", f"web01.{HOST_SUFFIX}", "localhost"])
    for host, target, status in (
        ("gw.test", "web01", 401),
        (f"web02.{HOST_SUFFIX}", "web02", 401),
        ("localhost", "web01", 421),
        ("127.0.0.1", "web01", 421),
    ):
        place = path.where(host=host, target=target)
        answer = requests.post(place.url, b"", verify=str(place.ca), timeout=20)
        assert answer.status_code == status, host
    assert PYPSRP.run(path.where(host="gw.test"), "ops", PASSWORD, "hostname").code == 0


def test_ways_that_disagree_are_refused(path, resolve):
    host = f"web02.{HOST_SUFFIX}"
    resolve([host])
    refused(path, path.where(host=host, target="web01"))


def test_no_target_is_a_fault_that_says_how_to_name_one(path):
    assert "/wsman/" in refused(path, path.where(path="wsman"))


@pytest.mark.parametrize(
    "name", ["web99", "web01%2f..", "127.0.0.1", "localhost", "web01.", "..", "web01%00"]
)
def test_a_name_is_only_a_key_of_the_table(path, name):
    session, place = credssp_session(path.where(), "ops", PASSWORD), path.where(target=name)
    session.post(path.where().url, soap.IDENTIFY)
    assert session.post(place.url, soap.create()).status_code in (400, 404, 500)
    path.nothing_reached_a_target()


@pytest.mark.parametrize("route", ["", "wsmanx", "other", "wsman/web01/more", "api/v2/jobs"])
def test_other_paths_are_not_there(path, route):
    session, place = credssp_session(path.where(), "ops", PASSWORD), path.where(path=route)
    session.post(path.where().url, soap.IDENTIFY)
    assert session.post(place.url, soap.create()).status_code in (404, 500)
    path.nothing_reached_a_target()


def test_the_fault_is_readable_as_the_first_answer_of_a_connection(path):
    """Stock clients take a fault on the last leg of a login for a failed login, unless a token comes with it."""
    with pytest.raises(Exception) as refused:
        PYPSRP.run(path.where(path="wsman"), "ops", PASSWORD, "hostname")
    assert "/wsman/" in str(refused.value)
