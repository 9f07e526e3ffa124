"""What is unproven of Changes that use generated code: that it is found however their files are run, and is installed with
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from asyncfix.colour.generators import IN_STEP
from asyncfix.generated import Generated
from asyncfix.model import Change, Plan, Rewrite, Use
from asyncfix.plan.declaring import APART
from asyncfix.project import Project
from asyncfix.transform import Rule

ASKING = frozenset({APART, IN_STEP})
"""The kinds of uses that are written with generated code."""


def weigh(plan: Plan, rules: Sequence[Rule], generated: Generated, project: Project) -> Plan:
    """The plan, its Changes UNSAFE where generated code that they use may not be found."""
    by_name = {rule.name: rule for rule in rules}
    doubts: dict[str, tuple[str, ...]] = {}
    weighed: dict[str, Change] = {}
    for change in plan.changes:
        for path in _asking(change, by_name):
            if path not in doubts:
                doubts[path] = tuple(_doubts(path, generated, project))
            if doubts[path]:
                known = weighed.get(change.id, change)
                reasons = tuple(dict.fromkeys((*known.reasons, *doubts[path])))
                weighed[change.id] = msgspec.structs.replace(known, safety="unsafe", reasons=reasons)
    if not weighed:
        return plan
    findings = (
        msgspec.structs.replace(item, safety="unsafe") if item.change in weighed else item for item in plan.findings
    )
    changes = tuple(weighed.get(change.id, change) for change in plan.changes)
    return msgspec.structs.replace(plan, changes=changes, findings=tuple(findings))


def _asking(change: Change, rules: dict[str, Rule]) -> Iterator[str]:
    """The files in which a Change uses generated code."""
    for item in change.decisions:
        rule = rules.get(item.site.rule) if isinstance(item, Rewrite) else None
        if (isinstance(item, Rewrite) and rule and rule.asks(item.form)) or (
            isinstance(item, Use) and item.kind in ASKING
        ):
            yield item.path


def _doubts(path: str, generated: Generated, project: Project) -> Iterator[str]:
    """Why a file may not find its generated module."""
    doubt = generated.doubt(path)
    if doubt:
        yield doubt
    module = generated.path_for(path)
    list_of = next((each for each in project.built if each.holds(path)), None)
    if list_of is not None and not any(each.holds(module) for each in project.built):
        yield f"{module} is not among what is built (`{list_of.key}`, {list_of.path}): it must be added there"
