"""The national reasons and letters that the house comes with; and the words of a reason that was given stay, held by the database."""

from django.db import migrations

STAYS = """
CREATE FUNCTION claims_reason_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'reason % was given or is never removed: it stays as it is', OLD.code USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER reason_given_stays BEFORE UPDATE ON claims_rejectionreason FOR EACH ROW
  WHEN (OLD.code <> NEW.code OR OLD.used_at IS NOT NULL AND
    (OLD.used_at, OLD.office_id, OLD.title, OLD.title_en, OLD.text, OLD.text_en, OLD.needs_clause, OLD.by_rules, OLD.is_offered)
    IS DISTINCT FROM
    (NEW.used_at, NEW.office_id, NEW.title, NEW.title_en, NEW.text, NEW.text_en, NEW.needs_clause, NEW.by_rules, NEW.is_offered))
  EXECUTE FUNCTION claims_reason_stays();
CREATE TRIGGER reason_is_kept BEFORE DELETE ON claims_rejectionreason FOR EACH ROW EXECUTE FUNCTION claims_reason_stays();
"""
UNDO = "DROP FUNCTION claims_reason_stays CASCADE"
NATIONAL = """
INSERT INTO claims_rejectionreason (code, title, title_en, text, text_en, by_rules, needs_clause, is_offered) VALUES
('not_covered', '不在保障期内', 'Outside the period of cover',
 '这次情况发生在您的保障期以外，按条款不能给付。',
 'This happened outside your cover; the terms do not allow a benefit.', true, true, true),
('waiting', '在等待期内', 'Within the waiting period',
 '这次情况发生在等待期内，按条款不能给付。',
 'This happened within the waiting period; the terms do not allow a benefit.', true, true, true),
('not_listed', '不属于本计划的给付范围', 'Not among the benefits of this plan',
 '这次情况不在本计划的给付范围内。', 'What happened is outside what this plan pays for.', true, true, true),
('papers', '材料不足以证明', 'The papers do not prove it',
 '您提交的材料还不足以证明这次情况；有新的材料时可以重新申领。',
 'The papers you sent do not yet prove what happened; with new papers you may claim again.', false, true, true),
('late', '超过申领期限', 'Applied too late',
 '提交时已经超过条款规定的申领期限。', 'The claim was sent in after the period that the terms allow.', true, true, true),
('below_deductible', '费用没有达到起付线', 'The cost stays below the deductible',
 '本期累计的费用还没有达到起付线；已经计入本期累计，下次会接着算。',
 'The costs of this period have not reached the deductible yet; they are counted and the next claim goes on from there.', true, true, true),
('excluded', '属于条款的除外情形', 'Excluded by the terms',
 '经核实，这次情况属于条款写明的除外情形。', 'It was verified that one of the exclusions of the terms applies.', false, true, true),
('objection', '公示期间的异议查实', 'An objection during the public notice proved true',
 '公示期间有人提出异议，经核实成立。', 'An objection during the public notice was looked into and proved true.', false, true, false)
ON CONFLICT DO NOTHING;
INSERT INTO claims_letter (about, title, title_en, text, text_en) VALUES
('', '照片看不清', 'Unreadable photo',
 '您上传的材料有几处看不清，请在光线好的地方平铺拍照，四角拍全，重新上传。',
 'Parts of the papers you uploaded cannot be read. Please photograph them flat in good light, all four corners, and upload them again.'),
('illness', '缺结算单', 'Settlement sheet missing',
 '请补充医保结算单（出院结算清单），可以在医院窗口或医保小程序里打印、截图。',
 'Please add the medical insurance settlement sheet; the hospital’s counter or the insurance mini-program gives it.'),
('illness', '缺出院记录', 'Discharge record missing',
 '请补充出院记录或出院小结，要有诊断和入院、出院日期，并有医院盖章。',
 'Please add the discharge record with diagnosis, days of admission and discharge, and the hospital’s stamp.'),
('illness', '缺票据', 'Invoice missing',
 '请补充住院收费票据；电子票据请上传原文件，纸质票据请拍清票据号码。',
 'Please add the hospital invoice: the original file of an electronic one, or a photo of a paper one with a readable number.'),
('illness', '缺诊断证明或病理报告', 'Diagnosis or pathology report missing',
 '请补充诊断证明；确诊重大疾病的，请补充病理报告。',
 'Please add the certificate of diagnosis, and for a critical illness the pathology report.'),
('illness', '金额对不上', 'Amounts differ',
 '您填写的金额和结算单不一致，请对照结算单逐项核对后重新填写。',
 'The amounts you entered differ from the settlement sheet. Please compare them line by line and enter them again.'),
('hardship', '缺困难证明', 'Proof of hardship missing',
 '请补充困难职工档案或困难认定证明，要有单位工会或街道、社区盖章。',
 'Please add the registration or certificate of hardship, stamped by your union or your neighbourhood office.'),
('hardship', '缺证明申报数的材料', 'Proof of declared figures missing',
 '请补充能证明您申报的人数或金额的材料，例如在读证明、录取通知书、借款合同、劳动合同。',
 'Please add proof of the numbers or sums you declared, such as proof of study, a letter of admission, a loan or labour contract.'),
('hardship', '申报的数对不上', 'Declared figures do not agree',
 '您申报的人数或金额和材料不一致，请对照材料核对后重新填写。',
 'The numbers or sums you declared do not agree with your papers. Please compare them and fill them in anew.'),
('', '收款账户要核对', 'Account to be checked',
 '请核对收款账户：户名要和申领人姓名一致，并重新填写银行卡号。',
 'Please check the account: its holder must be the claimant. Then enter the card number again.')
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [("claims", "0002_room_beside_the_rows")]
    operations = [migrations.RunSQL(STAYS, UNDO), migrations.RunSQL(NATIONAL, migrations.RunSQL.noop)]
