"""Half of each page of the claims is left free: the next state of a claim is written beside the last one, and no index is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial")]

    operations = [
        migrations.RunSQL("ALTER TABLE claims_claim SET (fillfactor = 50)", "ALTER TABLE claims_claim RESET (fillfactor)"),
    ]
