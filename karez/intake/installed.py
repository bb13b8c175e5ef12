"""What the owner writes into the database of the declared sheets, with the rights after each migration. Holds no sheet."""

from karez.intake import registry, telling


def statements() -> list[str]:
    """SQL of `intake_sheet`: of each sheet the permission by which its batches are applied, and whether it has columns
    of identity.
    """
    told = [(s.name, s.apply_permission, telling.holds_identity(s)) for _name, s in sorted(registry.sheets().items())]
    rows = ", ".join(f"('{name}', '{permission}', {str(identity).lower()})" for name, permission, identity in told)
    made = (
        "CREATE OR REPLACE FUNCTION intake_sheet(p_sheet text, OUT apply_permission text, OUT identity boolean) "
        "LANGUAGE sql IMMUTABLE BEGIN ATOMIC"
    )
    asked = "SELECT s.permission, s.identity FROM"
    return [
        f"{made} {asked} (VALUES {rows}) s (name, permission, identity) WHERE s.name = p_sheet; END",
        "GRANT EXECUTE ON FUNCTION intake_sheet(text) TO karez_app",
    ]
