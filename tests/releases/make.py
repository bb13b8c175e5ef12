"""Makes the fixture of a release: a small synthetic installation through its year's end, backed up, with its test key.

    python -m tests.releases.make

writes `tests/releases/<version>/`: the backup, the key that opens it (of this synthetic data and of nothing else), and the
figures of the closed year. Run once for each version that is released, with that version's program; what stands there is
never made anew. `tests/test_releases.py` restores and upgrades each of them.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from karez import __version__

HERE = Path(__file__).resolve().parent
INIT = (
    "init", "--code", "64", "--first-year", "2009", "--controller", "Office", "--legal-basis", "Rule 1",
    "--complaint-body", "Ombudsman", "--admin", "ann", "--admin-name", "Ann", "--password", "a-long-password-9",
)  # fmt: skip
YEAR = ("--region", "64", "--year", "2009")
VILLAGE, COUNTY = "640422100207", "640422"
PEOPLE = {"fen": "finance_officer", "ren": "regional_officer", "app": "approver", "adm": "administrator"}
FILES = {
    "source_lines": (
        "line_code,line_name,funder_code,funder_name,funder_kind,programme,year,document_no\n"
        "CO-2009-1,Village funds,CO,Central office,central_office,mutual_funds,2009,D 1\n"
    ),
    "appropriations": "reference,line_code,happened_on,amount,document_no\nR1,CO-2009-1,2009-01-05,400000,D 2\n",
    "allocations": (
        "reference,line_code,happened_on,amount,document_no,county\n"
        f"R2,CO-2009-1,2009-01-06,400000,D 3,{COUNTY}\n"
    ),
    "grant_standards": "programme,size_class,low,high,valid_from,document_no\nmutual_funds,small,200000,200000,2009-01-01,D 4\n",
    "register": (
        "village,household_no,household_kind,person_no,relation,sex,birth_month,since,name\n"
        + "".join(
            f"{VILLAGE},{house},registered,{no},{relation},{sex},19{60 + no}-0{no},2009-01-0{no},{name}\n"
            for house in ("0001", "0002")
            for no, relation, sex, name in ((1, "head", "male", f"Test Head {house}"), (2, "spouse", "female", f"Test Wife {house}"))
        )
    ),
    "societies": (
        "village,name,founded_on,size_class,loan_cap,term_cap_days,fee_rate_month,contribution_min,contribution_max,"
        "allocation_order,write_off_pot,open_loans_max,instalments,min_members,min_poor_share\n"
        f"{VILLAGE},Test society,2009-02-01,small,5000,360,0.8,100,2000,fee_first,surplus,1,1,1,0\n"
    ),
    "grants": f"village,source_line,granted_on,amount,document\n{VILLAGE},CO-2009-1,2009-03-01,200000,D 5\n",
    "fund_members": (
        "village,household_no,joined_on,kind\n"
        f"{VILLAGE},0001,2009-02-10,registered\n{VILLAGE},0002,2009-02-10,registered\n"
    ),
    "contributions": (
        "village,household_no,paid_on,amount,kind,account\n"
        f"{VILLAGE},0001,2009-02-11,1200,own,cash\n{VILLAGE},0002,2009-02-11,1200,own,\n"
        f"{VILLAGE},0002,2009-11-02,200,refund,\n"
    ),
    "loans": (
        "village,loan_no,household_no,lent_on,principal,term_days,purpose,account\n"
        f"{VILLAGE},2009-1,0001,2009-03-05,1000,180,crops,cash\n{VILLAGE},2009-2,0002,2009-03-05,3000,180,livestock,\n"
    ),
    "repayments": f"village,loan_no,paid_on,principal,fee\n{VILLAGE},2009-2,2009-06-05,356,144\n",
}  # fmt: skip
ACCEPTED = ("register_assessed", "returns_of_key_counties", "returns_of_region")


def main() -> None:
    """Makes the fixture of this version; refuses where one stands already."""
    place = HERE / __version__
    assert not place.exists(), f"{place} stands already: what was released is not made anew"
    var, out = Path(tempfile.mkdtemp(prefix="kz-")), Path(tempfile.mkdtemp(prefix="kz-release-"))
    var.chmod(0o711)
    try:
        _run(var, *INIT)
        for name, role in PEOPLE.items():
            _run(
                var,
                "role",
                name,
                role,
                "--over",
                "640000",
                "--operator",
                "first people",
                "--full-name",
                name,
                "--password",
                f"{name}-long-password-9",
            )
        for sheet, text in FILES.items():
            file = out / f"{sheet}.csv"
            file.write_text(text, encoding="utf-8")
            sender = "ren" if sheet == "register" else "fen"
            told = _run(var, "load", str(file), "--sheet", sheet, "--by", sender, "--format", "json")
            _run(var, "apply", str(json.loads(told)["batches"][0]["batch"]), "--by", "app")
        accepted = [word for check in ACCEPTED for word in ("--accept", f"{check}=small test data")]
        _run(var, "close", *YEAR, "--by", "ren", *accepted)
        _run(var, "sign", *YEAR, "--by", "app")
        figures = _run(var, "figures", *YEAR, "--format", "json")
        _run(var, "backup", "--to", str(out / "backup"), "--keys-to", str(out / "key"))
        place.mkdir()
        (made,), (key,) = (out / "backup").iterdir(), (out / "key").iterdir()
        (place / "figures.json").write_text(figures, encoding="utf-8")
        shutil.copyfile(key, place / key.name)
        with tarfile.open(place / "backup.tar.xz", "w:xz") as packed:
            packed.add(made, arcname="backup")
    finally:
        shutil.rmtree(var)
        shutil.rmtree(out)


def _run(var: Path, *words: str) -> str:
    environment = os.environ | {"KAREZ_VAR": str(var), "KAREZ_DURABLE": "0"}
    program = [sys.executable, "-m", "karez", *words]
    done = subprocess.run(program, env=environment, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"karez {' '.join(words)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
