/* Only for trying under Wine 8, whose own has no WcsCreateIccProfile; never in a package (packaging/windows/origins.py).
   A screen has no colour profile here: Qt takes sRGB then. */
#include <windows.h>

__declspec(dllexport) HANDLE WINAPI OpenColorProfileW(void *profile, DWORD access, DWORD share, DWORD create) {
    return 0;
}
__declspec(dllexport) BOOL WINAPI CloseColorProfile(HANDLE profile) { return TRUE; }
__declspec(dllexport) BOOL WINAPI GetColorProfileFromHandle(HANDLE profile, BYTE *to, DWORD *size) { return FALSE; }
__declspec(dllexport) HANDLE WINAPI WcsCreateIccProfile(HANDLE profile, DWORD options) { return 0; }
