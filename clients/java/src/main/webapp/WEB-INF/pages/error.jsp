<%@ page session="false" isErrorPage="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<c:set var="status" value="${requestScope['jakarta.servlet.error.status_code']}" />
<t:page title="${status == 404 ? 'No such page' : 'That did not work'}">
<c:choose>
<c:when test="${status == 404}"><p>No page stands at this address; the models are listed above.</p></c:when>
<c:when test="${status == 405}"><p>This page can't be asked for in that way.</p></c:when>
<c:otherwise><p>The application failed; its log tells why. Try again, or ask its operator.</p></c:otherwise>
</c:choose>
</t:page>
