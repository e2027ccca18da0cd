"""The papers that show the right to join, as the worker and the desk read of them."""

from members.admin.enrolments import PAPERS as AT_THE_DESK
from members.forms.join import PAPERS as ON_THE_FORM


def test_the_desk_has_a_name_for_every_paper_that_the_form_takes():
    assert AT_THE_DESK.keys() == ON_THE_FORM.keys()
