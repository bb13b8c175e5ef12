"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "places:area": ("area_id", "get"),
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "places:home": {},
}
# Addresses of the whole region or of its administrators, closed to a county's officer.
REGION_ONLY = {
    "places:users": ({}, "get"),
    "places:user": ({"user_id": 1}, "get"),
    "places:add_user": ({}, "both"),
    "places:renew_user": ({"user_id": 1}, "post"),
    "places:deactivate_user": ({"user_id": 1}, "both"),
    "places:give_role": ({"user_id": 1}, "both"),
    "places:end_role": ({"grant_id": 1}, "both"),
    "places:waiting_roles": ({}, "get"),
    "places:answer_role": ({"proposal_id": 1}, "post"),
}
