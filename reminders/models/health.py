"""How a patient fares: side effects and blood results. Append-only, the first entry stays."""

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import User
from reminders.models.patients import Patient
from reminders.models.records import Answer, Source


class SideEffect(models.TextChoices):
    """The nine common ones, in the order of FACTS (Cancer Research UK)."""

    APPETITE = "appetite", "Eating less, or losing weight"
    TIREDNESS = "tiredness", "Tiredness"
    INFECTIONS = "infections", "More infections"
    SLEEP = "sleep", "Trouble sleeping"
    MOOD = "mood", "Changes of mood"
    HEADACHE = "headache", "Headaches"
    DIARRHOEA = "diarrhoea", "Diarrhoea"
    SICKNESS = "sickness", "Feeling or being sick"
    FLU_LIKE = "flu_like", "Like flu: chills, aches, fever"


class Severity(models.IntegerChoices):
    """How bad it is, in plain words of our own. It is no clinical scale, and nothing is worked out
    from it but the worst of a week."""

    NONE = 0, "Not there, or gone"
    MILD = 1, "There, but mild"
    STRONG = 2, "Hard to ignore"
    STOPPING = 3, "Stops me doing things"


class SideEffectEntry(TimeSortedModel):
    """One entry of a patient's diary. One that no other corrects holds.

    on_date: the patient's own date. severity: null where a text didn't say.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="side_effects")
    effect = models.CharField(max_length=16, choices=SideEffect)
    severity = models.PositiveSmallIntegerField(choices=Severity, null=True)
    note = models.TextField(blank=True)
    on_date = models.DateField()
    source = models.CharField(max_length=8, choices=Source)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="correction"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(effect__in=SideEffect.values), name="side_effect_known"
            ),
            models.CheckConstraint(
                # A check that is null passes: so each side says what it means of null.
                condition=Q(severity__isnull=False, severity__lte=3)
                | Q(severity__isnull=True, source="text"),
                name="side_effect_severity_said",
            ),
        ]
        indexes = [
            # Read by the diary, newest first, and by its trend, which takes a patient's rows.
            models.Index(fields=["patient", "-id"], name="side_effect_by_patient"),
        ]


class BloodTest(models.TextChoices):
    """The counts that decide (FACTS). LOINC codes and units: health/blood_tests.py."""

    HAEMATOCRIT = "haematocrit", "Haematocrit"
    HAEMOGLOBIN = "haemoglobin", "Haemoglobin"
    PLATELETS = "platelets", "Platelets"
    WHITE_CELLS = "white_cells", "White cells"
    NEUTROPHILS = "neutrophils", "Neutrophils"
    ALT = "alt", "ALT (a liver enzyme)"


class ResultSource(models.TextChoices):
    """By which way a result came."""

    STAFF = "staff", "Entered by the care team"
    IMPORT = "import", "Imported from a file"


class BloodResult(TimeSortedModel):
    """One result of one test, as it was entered, with its unit (UCUM).

    One that no other corrects holds. value: null in a correction that takes the first back, as
    when it was another patient's. taken_on: when the blood was taken.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="blood_results")
    test = models.CharField(max_length=16, choices=BloodTest)
    value = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    unit = models.CharField(max_length=8)
    taken_on = models.DateField()
    note = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=ResultSource)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="correction"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(test__in=BloodTest.values), name="blood_result_test_known"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False, value__gte=0)
                | Q(value__isnull=True, corrects__isnull=False),
                name="blood_result_has_value",
            ),
        ]
        indexes = [
            # Read by the list of a patient's results, newest first.
            models.Index(fields=["patient", "-id"], name="blood_result_by_patient"),
            # Read by trends, by imports (what is there already), and for when the next is due.
            models.Index(fields=["patient", "-taken_on"], name="blood_result_by_date"),
        ]
