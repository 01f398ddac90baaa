"""Asks other tax engines about the cases that main.ts has written, and prints where they differ.

    node test/compare/tax/main.ts cases > cases.json
    python3 -m venv venv && venv/bin/pip install policyengine-us
    venv/bin/python test/compare/tax/compare.py cases.json

Compares what the installed packages can work out: policyengine-us, policyengine-uk, gettsim, openfisca-france,
openfisca-japan. Each may need an environment of its own. What the engines leave out or do another way is described in
docs/reference/tax-coverage.md.
"""

import json
import sys
from importlib.util import find_spec

# Rounding in single precision makes a difference of this share in some of the engines.
TOLERANCE = 1.5


def report(place, year, name, ours, theirs, cases, tolerance=TOLERANCE):
    """One line a levy, and the five largest differences."""
    differences = sorted(
        ((abs(a - b), a, b, case) for a, b, case in zip(ours, theirs, cases)), key=lambda each: -each[0]
    )
    off = [each for each in differences if each[0] > max(tolerance, 1e-6 * abs(each[1]))]
    print(f"{place} {year} {name}: {len(cases) - len(off)} of {len(cases)} agree")
    for difference, a, b, case in off[:5]:
        asked = {key: value for key, value in case.items() if key != "levies"}
        print(f"    {difference:,.2f}: ours {a:,.2f}, theirs {b:,.2f}, {asked}")


def situation_of(cases, year, unit, household):
    """One tax unit a case, with its adults and children, for the engines that count in units and households."""
    people, units, households = {}, {}, {}
    for index, case in enumerate(cases):
        adults = [case["wages"]] + ([case["partnerWages"]] if case["status"] == "married" else [])
        members = []
        for number, wages in enumerate(adults):
            people[f"a{index}_{number}"] = {"age": {year: 40}, "employment_income": {year: wages}}
            members.append(f"a{index}_{number}")
        for number in range(case["children"]):
            people[f"c{index}_{number}"] = {"age": {year: 10}}
            members.append(f"c{index}_{number}")
        units[f"u{index}"] = {"members": members, **unit(case)}
        households[f"h{index}"] = {"members": members, **household}
    return people, units, households


def compare_us(place, year, cases):
    from policyengine_us import Simulation

    filing = {"single": "SINGLE", "married": "JOINT", "separate": "SEPARATE", "head": "HEAD_OF_HOUSEHOLD"}
    state = {"us": "TX", "us-ca": "CA", "us-ny": "NY"}[place]
    people, units, households = situation_of(
        cases, year, lambda case: {"filing_status": {year: filing[case["status"]]}}, {"state_code": {year: state}}
    )
    groups = {name: {f"{name}{key}": {"members": each["members"]} for key, each in units.items()} for name in ("f", "s")}
    marital = {f"m{key}": {"members": [m for m in each["members"] if m[0] == "a"]} for key, each in units.items()}
    marital |= {f"m{person}": {"members": [person]} for person in people if person[0] == "c"}
    simulation = Simulation(
        situation={
            "people": people,
            "tax_units": units,
            "families": groups["f"],
            "spm_units": groups["s"],
            "marital_units": marital,
            "households": households,
        }
    )
    of = lambda variable: simulation.calculate(variable, int(year), map_to="tax_unit")
    levies = {"us": {"US federal income tax": ["income_tax_before_refundable_credits"]}}
    levies["us"]["Social Security (employee)"] = ["employee_social_security_tax"]
    levies["us"]["Medicare (employee)"] = ["employee_medicare_tax", "additional_medicare_tax"]
    levies["us-ca"] = {"California income tax": ["ca_income_tax_before_refundable_credits"]}
    levies["us-ca"]["California State Disability Insurance"] = ["ca_employee_state_disability_insurance_contribution"]
    levies["us-ny"] = {"New York State income tax": ["ny_main_income_tax", "ny_supplemental_tax"]}
    for name, variables in levies[place].items():
        report(place, year, name, [case["levies"][name] for case in cases], sum(of(each) for each in variables), cases)


def compare_uk(place, year, cases):
    from policyengine_uk import Simulation

    start = year[:4]
    country, region = ("SCOTLAND", "SCOTLAND") if place == "gb-sct" else ("ENGLAND", "LONDON")
    people, units, households = situation_of(
        cases, start, lambda case: {}, {"country": {start: country}, "region": {start: region}}
    )
    simulation = Simulation(situation={"people": people, "benunits": units, "households": households})
    tax = "Scottish income tax" if place == "gb-sct" else "Income tax"
    national = "National Insurance (employee, class 1)"
    for name, variable in ((tax, "income_tax"), (national, "ni_employee")):
        theirs = simulation.calculate(variable, int(start))
        report(place, year, name, [case["levies"][name] for case in cases], theirs, cases)


def compare_germany(place, year, cases):
    from gettsim import InputData, MainTarget, TTTargets, main

    people, of_case = [], []
    for case in cases:
        adults = [case["wages"]] + ([case["partnerWages"]] if case["status"] == "married" else [])
        first = len(people)
        of_case.append((first, len(adults)))
        for number, wages in enumerate(adults):
            partner = first + 1 - number if len(adults) == 2 else -1
            people.append({"age": 40, "wages": wages, "partner": partner, "parents": (-1, -1), "has": case["children"] > 0})
        for _ in range(case["children"]):
            parents = (first, first + 1 if len(adults) == 2 else -1)
            people.append({"age": 10, "wages": 0, "partner": -1, "parents": parents, "has": False})
    column = lambda value: [value(each) for each in people]
    whole = lambda value: [value for _ in people]
    names = main(
        policy_date_str=f"{year}-01-01", main_target=MainTarget.templates.input_data_dtypes.tree, tt_targets=TTTargets(tree=GERMAN)
    )
    given = {
        "alter": column(lambda each: each["age"]),
        "geburtsjahr": column(lambda each: int(year) - each["age"]),
        "geburtsmonat": whole(1),
        "jahr_renteneintritt": whole(int(year) + 10),
        "monat_renteneintritt": whole(1),
        "alter_beginn_leistungsbezug_sonstige_private_vorsorge": whole(67),
        "p_id": list(range(len(people))),
        "bruttolohn_m": column(lambda each: each["wages"] / 12),
        "arbeitsstunden_w": column(lambda each: 40.0 if each["wages"] else 0.0),
        "p_id_ehepartner": column(lambda each: each["partner"]),
        "p_id_elternteil_1": column(lambda each: each["parents"][0]),
        "p_id_elternteil_2": column(lambda each: each["parents"][1]),
        "gemeinsam_veranlagt": column(lambda each: each["partner"] != -1),
        "hat_kinder": column(lambda each: each["has"]),
        "p_id_empfänger": column(lambda each: each["parents"][0]),
    }
    empty = {"IntColumn": -1, "FloatColumn": 0.0, "BoolColumn": False}

    def fill(tree):
        return {
            key: fill(each) if isinstance(each, dict) else given.get(key, whole(0 if key in ZEROS else empty[each]))
            for key, each in tree.items()
        }

    # Nobody here has a pension: without these columns, gettsim works out one for everybody.
    filled = fill(names)
    filled["einkommensteuer"]["einkünfte"].setdefault("sonstige", {})["betrag_y"] = whole(0.0)
    filled["sozialversicherung"]["rente"]["altersrente"] = {"betrag_m": whole(0.0)}
    filled["sozialversicherung"]["rente"]["erwerbsminderung"] = {"betrag_m": whole(0.0)}

    import numpy

    arrays = lambda tree: {k: arrays(v) if isinstance(v, dict) else numpy.array(v) for k, v in tree.items()}
    results = main(
        policy_date_str=f"{year}-01-01",
        main_target=MainTarget.results.tree,
        tt_targets=TTTargets(tree=GERMAN),
        input_data=InputData.tree(arrays(filled)),
    )
    tax = results["einkommensteuer"]["betrag_ohne_kinderfreibetrag_y_sn"]
    report(place, year, "Income tax", [c["levies"]["Income tax (§ 32a EStG)"] for c in cases], [tax[i] for i, _ in of_case], cases)
    childless = [index for index, case in enumerate(cases) if case["children"] == 0]
    surcharge = results["solidaritätszuschlag"]["betrag_y_sn"]
    report(
        place,
        year,
        "Solidarity surcharge (without children)",
        [cases[i]["levies"]["Solidarity surcharge"] for i in childless],
        [surcharge[of_case[i][0]] for i in childless],
        [cases[i] for i in childless],
    )
    insurance = results["sozialversicherung"]
    paid = sum(numpy.asarray(branch["beitrag"]["betrag_versicherter_y"]) for branch in insurance.values())
    report(
        place,
        year,
        "Social insurance (employee)",
        [case["levies"]["Social insurance (employee)"] for case in cases],
        [sum(paid[first : first + count]) for first, count in of_case],
        cases,
    )


def compare_france(place, year, cases):
    from openfisca_core.simulation_builder import SimulationBuilder
    from openfisca_france import FranceTaxBenefitSystem

    people, homes, families, households = {}, {}, {}, {}
    for index, case in enumerate(cases):
        adults = [f"a{index}_{number}" for number in range(2 if case["status"] == "married" else 1)]
        for name, wages in zip(adults, (case["wages"], case["partnerWages"])):
            people[name] = {
                "salaire_imposable": {year: wages},
                "date_naissance": {"ETERNITY": f"{int(year) - 40}-01-01"},
                "statut_marital": {year: "marie" if len(adults) == 2 else "celibataire"},
            }
        children = [f"c{index}_{number}" for number in range(case["children"])]
        for name in children:
            people[name] = {"date_naissance": {"ETERNITY": f"{int(year) - 10}-01-01"}}
        homes[f"f{index}"] = {"declarants": adults, "personnes_a_charge": children}
        if case["status"] == "head":
            homes[f"f{index}"]["caseT"] = {year: True}
        families[f"f{index}"] = {"parents": adults, "enfants": children}
        households[f"m{index}"] = {"personne_de_reference": adults[:1], "conjoint": adults[1:], "enfants": children}
    simulation = SimulationBuilder().build_from_entities(
        FranceTaxBenefitSystem(),
        {"individus": people, "foyers_fiscaux": homes, "familles": families, "menages": households},
    )
    of = lambda variable: simulation.calculate(variable, year)
    theirs = of("ip_net") + of("contribution_exceptionnelle_hauts_revenus")
    report(place, year, "Income tax", [case["levies"]["Income tax"] for case in cases], theirs, cases)


def compare_japan(place, year, cases):
    from openfisca_core.simulation_builder import SimulationBuilder
    from openfisca_japan import CountryTaxBenefitSystem

    day = f"{year}-01-01"
    people = {
        f"p{index}": {"収入": {day: case["wages"]}, "社会保険料控除": {day: 0}, "年齢": {day: 40}}
        for index, case in enumerate(cases)
    }
    homes = {f"h{name}": {"親一覧": [name]} for name in people}
    simulation = SimulationBuilder().build_from_entities(CountryTaxBenefitSystem(), {"世帯員": people, "世帯一覧": homes})
    ours = [case["levies"]["Income tax and reconstruction tax"] for case in cases]
    # The engine rounds neither salaries to the official table nor taxable income to 1,000 yen.
    report(place, year, "Income tax, within 600 yen", ours, simulation.calculate("所得税", day), cases, tolerance=600)


ZEROS = {"behinderungsgrad"}
INSURED = {"beitrag": {"betrag_versicherter_y": None}}
GERMAN = {
    "einkommensteuer": {"betrag_ohne_kinderfreibetrag_y_sn": None},
    "solidaritätszuschlag": {"betrag_y_sn": None},
    "sozialversicherung": {"rente": INSURED, "kranken": INSURED, "pflege": INSURED, "arbeitslosen": INSURED},
}

ENGINES = [
    ("policyengine_us", compare_us, ("us", "us-ca", "us-ny")),
    ("policyengine_uk", compare_uk, ("gb", "gb-sct")),
    ("gettsim", compare_germany, ("de",)),
    ("openfisca_france", compare_france, ("fr",)),
    ("openfisca_japan", compare_japan, ("jp",)),
]


def main():
    wanted = sys.argv[2:]
    with open(sys.argv[1], encoding="utf-8") as file:
        sets = json.load(file)
    for module, compare, places in ENGINES:
        if find_spec(module) is None:
            print(f"{module} is not installed")
            continue
        for each in sets:
            if each["place"] in places and (not wanted or each["place"] in wanted):
                compare(each["place"], each["year"], each["cases"])


if __name__ == "__main__":
    main()
