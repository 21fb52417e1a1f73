"""Where wells are: the basins, and the counties that lie in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class County:
    """A county with wells; `api` is its code, and its state's, in API numbers."""

    state: str
    name: str
    api: str


@dataclass(frozen=True)
class Basin:
    """A basin, and what its wells are like.

    Attributes:
        code: the four letters of its wells' ids.
        region: in the names of its cost centres.
        share: of the operator's wells.
        counties: with wells, each of one state.
        oil_bbl, gas_mcf: typical first rates of a well, a day.
        ngl_gal: natural gas liquids taken out of an mcf; what is left is sold as dry gas.
        oil_differential, gas_differential: to the benchmark, in 1/1000 USD a bbl and a MMBtu.
        well_cost: typical gross cost of a well, in USD.
    """

    code: str
    name: str
    region: str
    share: float
    counties: tuple[County, ...]
    oil_bbl: float
    gas_mcf: float
    ngl_gal: float
    oil_differential: int
    gas_differential: int
    well_cost: int


BASINS = (
    Basin(
        "PERM",
        "Permian",
        "WEST",
        0.31,
        (
            County("TX", "Midland", "42329"),
            County("TX", "Reeves", "42389"),
            County("TX", "Loving", "42301"),
            County("TX", "Ward", "42475"),
            County("NM", "Lea", "30025"),
            County("NM", "Eddy", "30015"),
        ),
        oil_bbl=420,
        gas_mcf=900,
        ngl_gal=4.2,
        oil_differential=-1_150,
        gas_differential=-1_050,
        well_cost=8_900_000,
    ),
    Basin(
        "EAGL",
        "Eagle Ford",
        "SOUTH",
        0.15,
        (County("TX", "Karnes", "42255"), County("TX", "DeWitt", "42123")),
        oil_bbl=340,
        gas_mcf=800,
        ngl_gal=3.6,
        oil_differential=-650,
        gas_differential=-180,
        well_cost=7_100_000,
    ),
    Basin(
        "BAKK",
        "Bakken",
        "NORTH",
        0.15,
        (
            County("ND", "Mountrail", "33061"),
            County("ND", "Williams", "33105"),
            County("ND", "McKenzie", "33053"),
        ),
        oil_bbl=380,
        gas_mcf=520,
        ngl_gal=5.1,
        oil_differential=-4_300,
        gas_differential=-650,
        well_cost=8_200_000,
    ),
    Basin(
        "DJBN",
        "DJ",
        "ROCKIES",
        0.10,
        (County("CO", "Weld", "05123"),),
        oil_bbl=260,
        gas_mcf=850,
        ngl_gal=3.9,
        oil_differential=-3_900,
        gas_differential=-420,
        well_cost=5_600_000,
    ),
    Basin(
        "ANAD",
        "Anadarko",
        "CENTRAL",
        0.09,
        (County("OK", "Kingfisher", "35073"), County("OK", "Canadian", "35017")),
        oil_bbl=150,
        gas_mcf=1_400,
        ngl_gal=3.3,
        oil_differential=-1_900,
        gas_differential=-380,
        well_cost=6_300_000,
    ),
    Basin(
        "HAYN",
        "Haynesville",
        "GULF",
        0.06,
        (County("LA", "De Soto", "17031"),),
        oil_bbl=0,
        gas_mcf=9_500,
        ngl_gal=0,
        oil_differential=0,
        gas_differential=-240,
        well_cost=12_400_000,
    ),
    Basin(
        "MARC",
        "Marcellus",
        "EAST",
        0.05,
        (County("PA", "Bradford", "37015"), County("PA", "Susquehanna", "37115")),
        oil_bbl=0,
        gas_mcf=7_800,
        ngl_gal=0,
        oil_differential=0,
        gas_differential=-780,
        well_cost=9_800_000,
    ),
    # That the codes of Wyoming's counties are those of the census was not confirmed.
    Basin(
        "POWD",
        "Powder River",
        "PLAINS",
        0.05,
        (County("WY", "Converse", "49009"), County("WY", "Campbell", "49005")),
        oil_bbl=330,
        gas_mcf=600,
        ngl_gal=3.1,
        oil_differential=-2_600,
        gas_differential=-460,
        well_cost=7_900_000,
    ),
    Basin(
        "UTIC",
        "Utica",
        "OHIO",
        0.04,
        (County("OH", "Belmont", "34013"),),
        oil_bbl=0,
        gas_mcf=8_600,
        ngl_gal=0,
        oil_differential=0,
        gas_differential=-690,
        well_cost=10_600_000,
    ),
)

STATES = ("TX", "NM", "ND", "CO", "OK", "LA", "PA", "WY", "OH")
"""The states, as numbered in the tax tables and as tax authorities."""
