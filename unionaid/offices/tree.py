"""The starting tree of offices: headquarters, provinces, the offices the catalogue's plans belong to. Data alone."""

# (code, name, level, code of the office above, region code)
# zh: names of offices
TREE: tuple[tuple[str, str, str, str, str], ...] = (
    ("000000", "中国职工保险互助会", "headquarters", "", ""),
    ("110000", "北京办事处", "province", "000000", "110000"),
    ("120000", "天津办事处", "province", "000000", "120000"),
    ("310000", "上海办事处", "province", "000000", "310000"),
    ("330000", "浙江省办事处", "province", "000000", "330000"),
    ("330100", "杭州办事处", "office", "330000", "330100"),
    ("330600", "绍兴办事处", "office", "330000", "330600"),
    ("350000", "福建省办事处", "province", "000000", "350000"),
    ("350100", "福州办事处", "office", "350000", "350100"),
    ("360000", "江西省办事处", "province", "000000", "360000"),
    ("420000", "湖北省办事处", "province", "000000", "420000"),
    ("440000", "广东省办事处", "province", "000000", "440000"),
    ("460000", "海南省办事处", "province", "000000", "460000"),
    ("500000", "重庆办事处", "province", "000000", "500000"),
    ("610000", "陕西省办事处", "province", "000000", "610000"),
    ("610100", "西安办事处", "office", "610000", "610100"),
    ("610800", "榆林办事处", "office", "610000", "610800"),
)
