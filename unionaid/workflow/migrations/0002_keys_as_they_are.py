"""The keys of a set that was moved are kept as they are: pressing eighty kilobytes of them was a fifteenth of what moving the set took."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("workflow", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE workflow_auditentry ALTER COLUMN entity_ids SET STORAGE EXTERNAL",
            "ALTER TABLE workflow_auditentry ALTER COLUMN entity_ids SET STORAGE EXTENDED",
        ),
    ]
