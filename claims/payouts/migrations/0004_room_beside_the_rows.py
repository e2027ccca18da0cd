"""Half of each page of the lines is left free: the bank's answer is written beside the line, and no index is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payouts", "0003_three_people_for_a_batch")]

    operations = [
        migrations.RunSQL("ALTER TABLE payouts_payoutline SET (fillfactor = 50)", "ALTER TABLE payouts_payoutline RESET (fillfactor)"),
    ]
