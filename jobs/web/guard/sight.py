"""What somebody may see of the FHIR server, and as whom it is asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_adapter.audit.verdict import Examined
from fhir_adapter.auditing import Auditor
from fhir_adapter.lenient import as_dict, relative
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.merges import Merges
from fhir_adapter.timeline.proofs import Proofs
from jobs.web.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Sight:
    """Client and auditor of whoever asks.

    Attributes:
        client: with the service's own rights, or those of a person who came out of a record.
        auditor: of the same server, with the same rights.
        patient: `Patient/id`: the one whose record is open, and the only one that is shown; "" for any.
        proofs: what was proven with these rights.
    """

    client: FhirClient
    auditor: Auditor
    patient: str = ""
    proofs: Proofs = field(default_factory=Proofs, compare=False)

    async def admit(self, patients: Iterable[str]) -> None:
        """Lets by what is about the patient whose record is open, under any id before a merge.

        Args:
            patients: `Patient/id` of all that is to be shown; without any it is nobody's.

        Raises:
            ProblemError: `forbidden`, where it is of somebody else.
        """
        others = set(patients)
        if not self.patient or others == {self.patient}:
            return
        if not others or not others <= await self._same():
            raise ProblemError("forbidden", "This is not of the patient whose record is open.")

    async def admit_examined(self, examined: Examined) -> None:
        """As `admit`, for a Composition and every note that it was made from."""
        if not self.patient:
            return
        sources = [section.source.stated or section.source.current for section in examined.sections]
        newest = [section.source.current for section in examined.sections]
        subjects = [
            as_dict(as_dict(one).get("subject")).get("reference") for one in [*sources, *newest] if one
        ]
        named = [relative(subject, self.client.base_url) for subject in subjects]
        await self.admit([examined.record.subject, *named])

    async def _same(self) -> set[str]:
        """All ids of that patient."""
        merges = Merges(self.client)
        there = await self.client.read_if_there(self.patient)
        survivor = await merges.survivor(self.patient, there)
        return {self.patient, *await merges.merged_into(survivor)}
