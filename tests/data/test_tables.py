"""Tables of every spreadsheet are read as a whole, or refused with the line that is wrong."""

import codecs

import pytest

from vaeline.data.tables import Table, read_table
from vaeline.system.errors import UserError

WANTED = (["a.jpg", "b.jpg"], ["x", "y"], [["-1", "1"], ["1", "-1"]])


def content(table: Table) -> tuple[list[str], list[str], list[list[str]]]:
    return table.ids, table.names, table.rows


FORMS = {
    "CelebA's": "2\nx y \na.jpg -1  1\nb.jpg  1 -1\n",
    "CSV": "id,x,y\na.jpg,-1,1\nb.jpg,1,-1\n",
    "quotes, blanks and CRLF": 'id, x, y\r\n"a.jpg",-1, 1 \r\n\r\nb.jpg,1,-1\r\n',
    "a Mac's": "id,x,y\ra.jpg,-1,1\rb.jpg,1,-1\r",
    "semicolons": "id;x;y\na.jpg;-1;1\nb.jpg;1;-1\n",
    "tabs": "id\tx\ty\na.jpg\t-1\t1\nb.jpg\t1\t-1\n",
    "Excel's separator line": "sep=;\r\nid;x;y\r\na.jpg;-1;1\r\nb.jpg;1;-1\r\n",
    "blanks with a whole header": "id x y\na.jpg -1 1\nb.jpg 1 -1",
    "empty columns at the end": "id,x,y,,\na.jpg,-1,1,,\nb.jpg,1,-1,,\n,,,,\n",
    "empty cells at the end of rows": "id,x,y\na.jpg,-1,1,\nb.jpg,1,-1,,\n",
    "pandas' index": ",id,x,y\n0,a.jpg,-1,1\n1,b.jpg,1,-1\n",
    "no last line end": "id,x,y\na.jpg,-1,1\nb.jpg,1,-1",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_form_of_a_table_says_the_same(text: str, encoding: str) -> None:
    assert content(read_table(text.encode(encoding), "table")) == WANTED


def test_utf16_of_either_order_is_read() -> None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert content(read_table(mark + FORMS["CSV"].encode(encoding), "table")) == WANTED


def test_a_quoted_cell_may_contain_separators_quotes_and_line_ends() -> None:
    table = read_table(b'file,"a;b",c\n"x,1.png","say ""no""","two\nlines"\ny.png,1,2\n', "table")
    assert content(table) == (["x,1.png", "y.png"], ["a;b", "c"], [['say "no"', "two\nlines"], ["1", "2"]])
    assert table.lines == [3, 4]


def test_semicolons_leave_the_comma_to_decimals() -> None:
    table = read_table(b"file;width\na.png;0,5\n", "table")
    assert table.rows == [["0,5"]] and table.decimal_comma and not read_table(FORMS["CSV"].encode(), "t").decimal_comma


def test_the_index_of_pandas_is_left_out_with_a_note() -> None:
    assert read_table(FORMS["pandas' index"].encode(), "table").notes == [
        "the first column numbers the rows and is left out."
    ]


def test_a_first_column_of_numbers_is_no_index_if_the_second_one_repeats() -> None:
    table = read_table(b"index,c,d\n0,a,x\n1,b,x\n2,a,y\n", "table")
    assert content(table) == (["0", "1", "2"], ["c", "d"], [["a", "x"], ["b", "x"], ["a", "y"]])
    with pytest.raises(UserError, match="two rows for a.png, in lines 2 and 3"):
        read_table(b",file,d\n0,a.png,x\n1,a.png,x\n", "table")


def test_a_header_is_what_a_reader_sees() -> None:
    table = read_table("file,gro\u0308ße\u200b,\uff58\na.png,1,2\n".encode(), "table")
    assert table.names == ["größe", "x"] and table.column("größe") == ["1"]


def test_columns_that_differ_in_case_are_named() -> None:
    assert read_table(b"file,Sex,sex\na.png,1,2\n", "table").notes == [
        "'Sex' and 'sex' differ only in case or blanks, and are different columns."
    ]


def test_an_index_of_an_index_is_left_out() -> None:
    table = read_table(b",Unnamed: 0,file,x\n0,0,a.png,1\n1,1,b.png,0\n", "table")
    assert content(table) == (["a.png", "b.png"], ["x"], [["1"], ["0"]])


def test_a_table_without_a_header_gets_one() -> None:
    assert read_table(b"a.jpg 0\r\nb.jpg 2\r\n", "table", ["partition"]).rows == [["0"], ["2"]]


MISTAKES = {
    "": "holds no table of images: it is empty",
    "\n\n": "holds no table of images",
    "id,x\n": "it has no row below its header",
    "x y\n": "its first line is 'x y'",
    "a.jpg\n": "its first line is 'a.jpg'",
    "file|x\na.png|1\n": "first line is 'file|x'.*separated by commas, semicolons, tabs or blanks",
    "id,x,y\na.jpg,1\n": "line 2: the row of 'a.jpg' has 2 values for 3 columns, with the name of the image; correct it",
    "id,x\na.jpg,1\n\nb.jpg,1,2\n": "line 4: the row of 'b.jpg' has 3 values for 2 columns, .*if a number has a decimal comma, separate the columns by semicolons, or quote it",
    "id x\na.jpg 1\nmy b.jpg 1\n": "line 3: the row of 'my' has 3 values for 2 columns",
    "id,x\n,1\n": "line 2: the row names no image",
    "id,x,x\na.jpg,1,0\n": "columns 2 and 3 are both called 'x'",
    "id,x, x \na.jpg,1,0\n": "columns 2 and 3 are both called 'x'",
    "id,x,x\u200b\na.jpg,1,0\n": r"columns 2 and 3 are called 'x' and 'x\\u200b', which look the same; rename one",
    "id,e\u0301,é\na.jpg,1,0\n": r"columns 2 and 3 are called 'e\\u0301' and '\\xe9', which",
    "id,x y,x\u00a0y\na.jpg,1,0\n": r"columns 2 and 3 are called 'x y' and 'x\\xa0y', which",
    "id,POT,\u0420\u041e\u0422\na.jpg,1,0\n": r"columns 2 and 3 are called 'POT' and '\\u0420",
    "id,x,\u200b\na.jpg,1,0\n": "column 3 has values but no name",
    "x,x\na.jpg,1\n": "columns 1 and 2 are both called 'x'",
    "id,x,,y\na.jpg,1,2,3\n": "column 3 has values but no name",
    "id,x,\na.jpg,1,2\n": "column 3 has values but no name",
    "a.jpg,1\nb.jpg,0\n": "has no header: its first row, line 1, is of the image 'a.jpg'",
    "a.jpg 1\nb.jpg 0\n": "has no header",
    "id,x\na.jpg,1\nb.jpg,1\na.jpg,1\n": "two rows for a.jpg, in lines 2 and 4",
    "id,x;y\na.jpg,1;2\n": "separated by commas or semicolons: both fit every row",
    'id,x\na.jpg,"1\n': "line 2: .*correct the quotes",
    'id,x\na.jpg,"1"0\n': "line 2: .*correct the quotes",
    "id,x\na.jpg,\0\n": "it contains zero bytes",
}


@pytest.mark.parametrize(("text", "sentence"), MISTAKES.items())
def test_a_mistake_in_a_table_is_named(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=f"table.csv.*{sentence}"):
        read_table(text.encode(), "table.csv")


@pytest.mark.parametrize(
    ("bytes_", "sentence"),
    [
        ("id,x\ncafé.png,1\n".encode("latin-1"), "is not UTF-8 text"),
        ("id,x\na.png,1\n".encode("utf-16-le"), "zero bytes"),
        (b"PK\x03\x04...", "is a spreadsheet or a zip archive; save it as CSV"),
    ],
)
def test_other_files_under_the_name_of_a_table_are_refused(bytes_: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_table(bytes_, "table.csv")
